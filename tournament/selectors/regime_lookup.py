"""Selectors that remember what each model scored in each regime, and weigh it by how likely the regime is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tournament.regimes.filters import fit_gmm, fit_hmm, fit_jump
from tournament.regimes.model import RegimeModel
from tournament.selectors.allocator import best_blend
from tournament.selectors.baselines import STACK_HALF_LIFE, STACK_RIDGE, recent_means, ridge
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights

FITTERS = {"hmm": fit_hmm, "jump": fit_jump, "gmm": fit_gmm}
MIN_ROUNDS = 30
SHRINK_ROUNDS = 30.0
"""Means by regime rest on few rounds each; chosen as `baselines.STACK_RIDGE` was."""


@dataclass(frozen=True)
class RegimeLookup:
    """Conditional mean scores by filtered regime, then the best blend."""

    name: str
    regimes: int = 4

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Fit the regime model on the contexts of the last task seen so far."""
        history = tasks[-1]
        if not history.tells_weather(least=MIN_ROUNDS):
            return State(self.name)
        fit = FITTERS[self.name]
        model = fit(history.contexts(), history.context_names, regimes=self.regimes, seed=budget.seed)
        return State(self.name, model.to_arrays())

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: contexts of open rounds move the filter too."""
        return state.adapted(support)

    def weights(self, state: State, query: Query) -> Floats:
        """Posterior-weighted conditional means through the allocator; ridge until a model is fitted."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        model = RegimeModel.from_arrays(state.arrays)
        probabilities = model.filtered(np.vstack([support.contexts(), query.context_K[None]]))
        means = conditional_means(support, probabilities[-len(support) - 1 : -1], probabilities[-1])
        return best_blend(means, query.correlations_MM, query.active_M, ridge=STACK_RIDGE)


def conditional_means(support: History, probabilities_RK: Floats, now_K: Floats) -> Floats:
    """Expected score of each model (M): its mean in each regime, shrunk to its recent mean, weighed by `now_K`."""
    scored = np.isfinite(support.scores_RM)
    scores = np.where(scored, support.scores_RM, 0.0)
    overall = recent_means(support.take(np.asarray(scored.any(axis=1))), STACK_HALF_LIFE)
    total_KM = probabilities_RK.T @ scores + SHRINK_ROUNDS * overall
    count_KM = probabilities_RK.T @ scored + SHRINK_ROUNDS
    return np.asarray(now_K @ (total_KM / count_KM))
