"""Selectors that remember what each model scored in each regime, and weigh it by how likely the regime is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tournament.regimes.filters import fit_gmm, fit_hmm, fit_jump
from tournament.regimes.model import RegimeModel
from tournament.regimes.names import regime_names
from tournament.selectors.allocator import best_blend, copies
from tournament.selectors.baselines import STACK_HALF_LIFE, STACK_RIDGE, ridge, ridge_outlook
from tournament.selectors.explanation.explained import Explained, allocated
from tournament.selectors.explanation.record import Estimate, Outlook
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.tokens import recent_means

FITTERS = {"hmm": fit_hmm, "jump": fit_jump, "gmm": fit_gmm}
MIN_ROUNDS = 30
SHRINK_ROUNDS = 30.0
"""Means by regime rest on few rounds each; chosen as `baselines.STACK_RIDGE` was."""


@dataclass(frozen=True)
class RegimeLookup(Explained):
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

    def weigh(self, state: State, query: Query) -> Floats:
        """Posterior-weighted conditional means through the allocator; ridge until a model is fitted."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        model = RegimeModel.from_arrays(state.arrays)
        probabilities = model.filtered(np.vstack([support.contexts(), query.context_K[None]]))
        copies_M = copies(query.correlations_MM, query.active_M)
        means = conditional_means(support, probabilities[-len(support) - 1 : -1], probabilities[-1], copies_M)
        return best_blend(means, query.correlations_MM, query.active_M, ridge=STACK_RIDGE, copies_M=copies_M)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Expected scores in each context, and in each regime were it certain."""
        support = state.support
        if support is None or not len(support.resolved_rows()) or not state.arrays:
            return ridge_outlook(support, query, len(context_EC))
        model = RegimeModel.from_arrays(state.arrays)
        past_TK = model.filtered(support.contexts())
        now_EK = model.filtered_after(past_TK, context_EC)
        asked_EK = np.vstack([now_EK, np.eye(now_EK.shape[1])])
        copies_M = copies(query.correlations_MM, query.active_M)
        expected_EM = conditional_means(support, past_TK[len(past_TK) - len(support) :], asked_EK, copies_M)
        names = regime_names(model, support.context_names)
        return allocated(expected_EM, query, Estimate.SCORES, STACK_RIDGE, names=names, probability_K=now_EK[0])


def conditional_means(support: History, probabilities_RK: Floats, now_K: Floats, copies_M: Floats) -> Floats:
    """Expected score of each model (M): its mean in each regime, shrunk to its recent mean, weighed by `now_K`.

    With several rows of `now_K` (E x K), one answer for each (E x M).
    """
    scored = np.isfinite(support.scores_RM)
    scores = np.where(scored, support.scores_RM, 0.0)
    resolved = support.take(np.asarray(scored.any(axis=1)))
    overall = recent_means(resolved, STACK_HALF_LIFE, copies_M=copies_M)
    total_KM = probabilities_RK.T @ scores + SHRINK_ROUNDS * overall
    count_KM = probabilities_RK.T @ scored + SHRINK_ROUNDS
    return np.asarray(now_K @ (total_KM / count_KM))
