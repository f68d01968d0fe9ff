"""How well anyone could do in a score-space world: with the regime known, and with all but the regime known.

Shape suffixes: R rounds, M models, K regimes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.allocator import best_blend
from tournament.selectors.protocol import Floats
from tournament.worlds.score_space import ScoreWorld

RIDGE = 1e-3
JITTER = 1e-8


def informed_beliefs(world: ScoreWorld) -> Floats:
    """P(regime of round t | contexts up to t, scores resolved by t), all parameters known (R x K).

    Likelihoods are tempered for what neighbours share: scores by the overlap of their targets, contexts by the length
    of their memory. Source: Hamilton 1989, equations 4-6, with scores that arrive late.
    """
    spec, transition = world.spec, world.transition_KK
    context_RK, score_RK = _context_likelihood(world), _score_likelihood(world)
    beliefs_RK = np.empty_like(context_RK)
    resolved = np.full(spec.regimes, 1.0 / spec.regimes)  # belief at the newest round whose score is known
    for row in range(spec.rounds):
        newest = row - spec.delay
        if newest >= 0:
            resolved = _step(resolved if newest == 0 else resolved @ transition, context_RK[newest] + score_RK[newest])
        belief = resolved
        for later in range(max(0, newest + 1), row + 1):
            belief = _step(belief if later == 0 else belief @ transition, context_RK[later])
        beliefs_RK[row] = belief
    return beliefs_RK


def informed_means(world: ScoreWorld) -> Floats:
    """Expected score of each model in each round under the informed filter's belief (R x M)."""
    return np.asarray((informed_beliefs(world) @ world.expected_KM) * world.skill_RM)


def oracle_weights(world: ScoreWorld, means_RM: Floats, rows: Sequence[int] | NDArray[np.intp]) -> Floats:
    """Weights (R x M, NaN outside `rows`) that the allocator gives to expected scores, correlations known."""
    weights_RM = np.full(means_RM.shape, np.nan)
    for row in rows:
        weights_RM[row] = best_blend(means_RM[row], world.correlation_MM, world.active_RM[row], ridge=RIDGE)
    return weights_RM


def _step(prior_K: Floats, log_likelihood_K: Floats) -> Floats:
    posterior = prior_K * np.exp(log_likelihood_K - log_likelihood_K.max()) + 1e-300
    return np.asarray(posterior / posterior.sum())


def _context_likelihood(world: ScoreWorld) -> Floats:
    memory = world.spec.context_memory
    distance_RK = ((world.context_RC[:, None] - world.context_KC[None]) ** 2).sum(axis=2)
    return np.asarray(-0.5 * distance_RK * (1.0 - memory) / (1.0 + memory))


def _score_likelihood(world: ScoreWorld) -> Floats:
    """Log likelihood of each round's scores in each regime; masks of active models are factored once each."""
    spec = world.spec
    shock = spec.shock**2 / spec.overlap * world.loading_ML @ world.loading_ML.T
    noise_MM = world.correlation_MM / spec.assets + shock + JITTER * np.eye(spec.models)
    out_RK = np.zeros((spec.rounds, spec.regimes))
    masks, group_R = np.unique(world.active_RM, axis=0, return_inverse=True)
    for group, mask in enumerate(masks):
        rows = np.flatnonzero(group_R == group)
        factor = np.linalg.cholesky(noise_MM[np.ix_(mask, mask)])
        expected_RKM = world.skill_RM[rows][:, None, mask] * world.expected_KM[:, mask]
        miss_RKM = world.scores_RM[rows][:, None, mask] - expected_RKM
        solved = np.linalg.solve(factor, miss_RKM.reshape(-1, mask.sum()).T)
        out_RK[rows] = -0.5 * (solved**2).sum(axis=0).reshape(len(rows), -1) / spec.overlap
    return out_RK
