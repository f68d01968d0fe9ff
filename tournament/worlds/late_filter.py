"""Beliefs about a hidden regime when contexts are seen at once and scores late, everything else known.

Shape suffixes: R rounds, K regimes, D ages (rounds that a stay has lasted, the last: that long or longer).
Source: Hamilton 1989, equations 4-6; ages as in Yu 2010, section 2 (explicit-duration hidden Markov models).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.protocol import Floats

TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Stays:
    """How regimes follow each other: chance to leave after each age, and where to (rows sum to one, diagonal zero).

    One age is a Markov chain.
    """

    leave_D: Floats
    jump_KK: Floats

    def begin(self) -> Floats:
        """Belief (K x D) at the first round of a first stay, any regime as likely as another."""
        belief = np.zeros((len(self.jump_KK), len(self.leave_D)))
        belief[:, 0] = 1.0 / len(belief)
        return belief

    def advance(self, belief_KD: Floats) -> Floats:
        """Belief one round on, nothing more seen."""
        if len(belief_KD) == 1:
            return belief_KD
        left_KD = belief_KD * self.leave_D
        stayed_KD = belief_KD - left_KD
        after = np.zeros_like(belief_KD)
        after[:, 1:] = stayed_KD[:, :-1]
        after[:, -1] += stayed_KD[:, -1]
        after[:, 0] += left_KD.sum(axis=1) @ self.jump_KK
        return after


def markov(transition_KK: Floats) -> Stays:
    """Stays of a Markov chain whose every regime is left as likely as any other."""
    leave = 1.0 - float(np.diag(transition_KK).mean())
    jump = transition_KK - np.diag(np.diag(transition_KK))
    return Stays(np.array([leave]), jump / np.maximum(jump.sum(axis=1, keepdims=True), TINY))


def leaving(probability_D: Floats) -> Floats:
    """Chance to leave at each age (D) of stays whose lengths 1, 2, ... are so probable; the last age leaves."""
    at_least_D = probability_D[::-1].cumsum()[::-1]
    return np.asarray(np.where(at_least_D > TINY, probability_D / np.maximum(at_least_D, TINY), 1.0))


def late_beliefs(context_RK: Floats, score_RK: Floats, newest_R: NDArray[np.intp], stays: Stays) -> Floats:
    """P(regime of each round | contexts up to it, scores up to `newest_R` of its row) from log likelihoods (R x K).

    Rounds are resolved in their order; -1: none yet.
    """
    beliefs_RK = np.empty_like(context_RK)
    resolved, done = stays.begin(), -1  # belief at round `done`, whose score and context are in it
    for row, newest in enumerate(newest_R):
        while done < newest:
            done += 1
            resolved = _seen(resolved if done == 0 else stays.advance(resolved), context_RK[done] + score_RK[done])
        belief = resolved
        for later in range(done + 1, row + 1):
            belief = _seen(belief if later == 0 else stays.advance(belief), context_RK[later])
        beliefs_RK[row] = belief.sum(axis=1)
    return beliefs_RK


def _seen(belief_KD: Floats, log_likelihood_K: Floats) -> Floats:
    posterior = belief_KD * np.exp(log_likelihood_K - log_likelihood_K.max())[:, None] + TINY
    return np.asarray(posterior / posterior.sum())
