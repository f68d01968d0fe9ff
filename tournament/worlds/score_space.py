"""Tournaments drawn in score space: scores of models with their truth, without any panel of assets.

Shape suffixes: R rounds, M models, K regimes, L themes, G error factors, C context columns. A model is a mixture of
themes and errors, p = A z + E e, with AA' + EE' = C its correlation. A week pays each theme its regime's payoff and a
shock; a round's target spans H weeks, so its scores are s = A b + eps with b the mean payoff of these weeks, and
eps ~ N(0, C / n) that shares weeks with its neighbours. Source: ours; the law of the scores is the central limit of
s = P'y / n for n assets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from tournament.selectors.protocol import Floats, History, Times
from tournament.worlds.spec import Spec

START = np.datetime64("2000-01-07T18:00:00")
WEEK = np.timedelta64(7, "D")
THEME_DENSITY = 0.35
CLONE_ERROR = 0.02
"""Share of a clone's variance that is its own."""


@dataclass(frozen=True, slots=True)
class ScoreWorld:
    """A drawn tournament: what selectors may see (with its delay), and the truth."""

    spec: Spec
    scores_RM: Floats
    expected_RM: Floats
    """Expected score of each model in each round, given the regime."""
    correlation_MM: Floats
    context_RC: Floats
    active_RM: NDArray[np.bool_]
    stake_M: Floats
    regime_R: NDArray[np.int64]
    loading_ML: Floats
    skill_RM: Floats
    """What is left of each model's skill (1 unless it decays)."""
    payoff_KL: Floats
    context_KC: Floats
    transition_KK: Floats

    @property
    def expected_KM(self) -> Floats:
        """Expected score of each undecayed model in each regime (K x M)."""
        return np.asarray(self.payoff_KL @ self.loading_ML.T)

    def blend_corr(self, weights_RM: Floats) -> Floats:
        """Expected corr of each round's blend (R): w.mu / sqrt(w'Cw), free of noise."""
        variance_R = np.einsum("rm,mn,rn->r", weights_RM, self.correlation_MM, weights_RM)
        return np.asarray((weights_RM * self.expected_RM).sum(axis=1) / np.sqrt(np.maximum(variance_R, 1e-12)))


def draw_world(spec: Spec, seed: int) -> ScoreWorld:
    """Draw a tournament; the same description and seed give the same one."""
    rng = np.random.default_rng(seed)
    regime_R, transition_KK = _regimes(rng, spec, spec.rounds + spec.overlap)
    payoff_KL = _payoffs(rng, spec)
    loading_ML, error_MG = _models(rng, spec)
    context_RC, context_KC = _contexts(rng, spec, regime_R[: spec.rounds])
    shock_RL = spec.shock * rng.standard_normal((len(regime_R), spec.themes))
    skill_RM = _decay(rng, spec)
    correlation_MM = loading_ML @ loading_ML.T + error_MG @ error_MG.T
    noise_RM = rng.standard_normal((len(regime_R), spec.themes)) @ loading_ML.T
    noise_RM += rng.standard_normal((len(regime_R), error_MG.shape[1])) @ error_MG.T
    paid_RL, expected_RL = _span(payoff_KL[regime_R] + shock_RL, spec), _span(payoff_KL[regime_R], spec)
    scores_RM = skill_RM * (paid_RL @ loading_ML.T) + np.sqrt(spec.overlap / spec.assets) * _span(noise_RM, spec)
    return ScoreWorld(
        spec, scores_RM, skill_RM * (expected_RL @ loading_ML.T), correlation_MM, context_RC, _active(rng, spec),
        np.exp(rng.normal(4.0, 1.0, spec.models)), regime_R[: spec.rounds], loading_ML, skill_RM, payoff_KL,
        context_KC, transition_KK,
    )  # fmt: skip


def as_history(world: ScoreWorld) -> History:
    """The tournament as selectors see it; the correlations of all rounds are one view of the same matrix."""
    spec = world.spec
    opens_at_R: Times = (START + np.arange(spec.rounds) * WEEK).astype("datetime64[s]")
    resolves_at_R: Times = (opens_at_R + spec.delay * WEEK).astype("datetime64[s]")
    correlations = np.broadcast_to(world.correlation_MM.astype(np.float32), (spec.rounds, spec.models, spec.models))
    return History(
        np.arange(1, spec.rounds + 1), tuple(f"model_{place:04d}" for place in range(spec.models)), opens_at_R,
        resolves_at_R, world.active_RM, np.where(world.active_RM, world.scores_RM, np.nan), correlations,
        world.context_RC, tuple(f"context_{place}" for place in range(world.context_RC.shape[1])),
        world.active_RM * world.stake_M,
    )  # fmt: skip


def _span(weekly: Floats, spec: Spec) -> Floats:
    """Mean of the `overlap` weeks from each round on (rounds x columns)."""
    summed = np.cumsum(np.vstack([np.zeros(weekly.shape[1]), weekly]), axis=0)
    return (summed[spec.overlap :] - summed[: -spec.overlap])[: spec.rounds] / spec.overlap


def _regimes(rng: np.random.Generator, spec: Spec, weeks: int) -> tuple[NDArray[np.int64], Floats]:
    """Regime of each week: gamma stays, then any other; and the Markov chain nearest to it."""
    if spec.regimes == 1:
        return np.zeros(weeks, dtype=np.int64), np.ones((1, 1))
    stays = np.maximum(1, np.round(rng.gamma(spec.stay_shape, spec.mean_stay / spec.stay_shape, weeks))).astype(int)
    moves = 1 + rng.integers(spec.regimes - 1, size=weeks)
    chain = (rng.integers(spec.regimes) + np.cumsum(moves)) % spec.regimes
    leave = 1.0 / float(stays.mean())
    transition = np.full((spec.regimes, spec.regimes), leave / (spec.regimes - 1))
    np.fill_diagonal(transition, 1.0 - leave)
    return np.repeat(chain, stays)[:weeks], transition


def _payoffs(rng: np.random.Generator, spec: Spec) -> Floats:
    """Payoff of each theme in each regime (K x L): a core that always pays, and the regime's own."""
    core_L = spec.core * np.abs(rng.standard_normal(spec.themes))
    raw_KL = core_L + 0.7 * rng.standard_normal((spec.regimes, spec.themes))
    return np.asarray(raw_KL * spec.payoff / np.sqrt((raw_KL**2).mean()))


def _models(rng: np.random.Generator, spec: Spec) -> tuple[Floats, Floats]:
    """Loadings on themes (M x L) and on errors (M x groups + M); rows of both together have length one."""
    models = spec.models
    loading = np.abs(rng.standard_normal((models, spec.themes)))
    loading *= rng.random((models, spec.themes)) < THEME_DENSITY
    loading /= np.linalg.norm(loading, axis=1, keepdims=True) + 1e-9
    share_M = rng.uniform(0.25, 0.8, models)
    share_M[rng.random(models) < spec.ignorant] = 0.02
    share_M[~loading.any(axis=1)] = 0.0
    error = np.zeros((models, spec.groups + models))
    rows, half_M = np.arange(models), np.sqrt((1.0 - share_M) / 2.0)
    error[rows, rng.integers(spec.groups, size=models)] = half_M
    error[rows, spec.groups + rows] = half_M
    return _with_clones(rng, spec, loading * np.sqrt(share_M)[:, None], error)


def _with_clones(rng: np.random.Generator, spec: Spec, loading: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Some of the models become near copies of one of a few others."""
    copies = rng.permutation(spec.models)[: int(spec.clones * spec.models)]
    if not len(copies) or len(copies) == spec.models:
        return loading, error
    originals = np.setdiff1d(np.arange(spec.models), copies)
    source = rng.choice(originals[: max(1, len(originals) // 8)], len(copies))
    kept = np.sqrt(1.0 - CLONE_ERROR)
    loading[copies], error[copies] = kept * loading[source], kept * error[source]
    error[copies, spec.groups + copies] = np.sqrt(CLONE_ERROR)
    return loading, error


def _contexts(rng: np.random.Generator, spec: Spec, regime_R: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """What is seen of the regime, perhaps late: its level with AR(1) noise of variance one; then columns of nothing."""
    level_KC = rng.standard_normal((spec.regimes, spec.columns)) * spec.separation / np.sqrt(2.0)
    level_KC = np.hstack([level_KC, np.zeros((spec.regimes, spec.irrelevant))])
    seen_R = np.concatenate([np.repeat(regime_R[0], spec.context_lag), regime_R])[: spec.rounds]
    memory = spec.context_memory
    steps_RC = rng.standard_normal((spec.rounds, level_KC.shape[1])) * np.sqrt(1.0 - memory**2)
    steps_RC[0] /= np.sqrt(1.0 - memory**2)
    return level_KC[seen_R] + lfilter([1.0], [1.0, -memory], steps_RC, axis=0), level_KC


def _active(rng: np.random.Generator, spec: Spec) -> NDArray[np.bool_]:
    """Who submits: some join late, some leave early; at least two models stay throughout."""
    active = np.ones((spec.rounds, spec.models), dtype=bool)
    order = rng.permutation(spec.models)[: spec.models - 2]
    for model in order[: int(spec.late * spec.models)]:
        active[: rng.integers(spec.rounds // 8, int(spec.rounds * 0.8)), model] = False
    for model in rng.permutation(order)[: int(spec.leaving * spec.models)]:
        active[rng.integers(spec.rounds // 2, spec.rounds) :, model] = False
    return active


def _decay(rng: np.random.Generator, spec: Spec) -> Floats:
    """Share of its skill that each model still has in each round (R x M)."""
    decays_M = rng.random(spec.models) < spec.decaying
    half_life_M = rng.uniform(spec.rounds / 8, spec.rounds / 2, spec.models)
    return np.where(decays_M, 0.5 ** (np.arange(spec.rounds)[:, None] / half_life_M), 1.0)
