"""How every family explains its weights: from the weights, the algebra, and what only the family knows.

Shape suffixes: M models, C context columns, E contexts to ask in, R rounds of the support. Everything is told from the
state, whose support holds only what had resolved by the query's opening, and from the query, which has no scores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from tournament.selectors import algebra
from tournament.selectors.allocator import Alike, among, best_blend, best_blends, known
from tournament.selectors.explanation.path import walks
from tournament.selectors.explanation.record import (
    Estimate,
    Explanation,
    Like,
    LikeBy,
    Outlook,
    Regimes,
    Without,
)
from tournament.selectors.protocol import Floats, History, Query, State, on_simplex, refuse_strangers
from tournament.selectors.tokens import context_distance, recent_means

LEFT_OUT = 8
"""So many of the heaviest models are left out in turn."""
LIKE_ROUNDS = 6


class Explained(ABC):
    """A family that can say why. Those that know more than their weights say it in `outlook`."""

    reads_context = True

    name: str

    def weights(self, state: State, query: Query) -> Floats:
        """Weights (M) on the simplex over the active models. Raises BadInput where state and query do not meet."""
        refuse_strangers(self.name, state, query)
        return self.weigh(state, query)

    @abstractmethod
    def weigh(self, state: State, query: Query) -> Floats:
        """The weights, of a state and a query that meet."""

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """What the family would answer had the round opened in each of these contexts; here by asking again."""
        if not self.reads_context:
            once_M = on_simplex(self.weights(state, query), query.active_M)
            return Outlook(np.tile(once_M, (len(context_EC), 1)))
        asked = [self.weights(state, replace(query, context_K=context_C)) for context_C in context_EC]
        return Outlook(np.array([on_simplex(weights_M, query.active_M) for weights_M in asked]))

    def explain(self, state: State, query: Query) -> Explanation:
        """Why the query's weights are what they are. Values rest on expected scores, never on the round's own.

        Leave-one-out keeps the others' shares; `without` asks again: the allocator is solved anew without the model
        (with the same expected scores), and a family without allocator weighs the round anew. Raises BadInput where
        state and query do not meet.
        """
        refuse_strangers(self.name, state, query)
        support = state.support
        path = walks(query, support) if support is not None and self.reads_context else None
        context_EC = query.context_K[None] if path is None else path.context_EC
        outlook = self.outlook(state, query, context_EC)
        weights_M, correlations = outlook.weights_EM[0], known(query.correlations_MM)
        expected_M, estimate = _expected(outlook, support, query)
        return Explanation(
            query.models, weights_M, estimate, expected_M, algebra.corr(weights_M, expected_M, correlations),
            algebra.leave_one_out(weights_M, expected_M, correlations),
            values_by_name(query.models, weights_M, expected_M, correlations),
            self._without(state, query, outlook, expected_M), _like(outlook, support, query), outlook.regimes,
            None if path is None else path.movement(outlook.weights_EM),
        )  # fmt: skip

    def _without(self, state: State, query: Query, outlook: Outlook, expected_M: Floats) -> Without:
        """The heaviest models left out in turn."""
        weights_M, correlations = outlook.weights_EM[0], known(query.correlations_MM)
        heaviest = sorted(np.flatnonzero(weights_M > 0), key=lambda place: (-weights_M[place], query.models[place]))
        left_out = heaviest[:LEFT_OUT] if query.active_M.sum() > 1 else []
        weights_WM = np.zeros((len(left_out), len(weights_M)))
        for row, place in enumerate(left_out):
            others_M = query.active_M & (np.arange(len(weights_M)) != place)
            if outlook.ridge is None:
                answer_M = self.weights(state, replace(query, active_M=others_M))
            else:
                answer_M = best_blend(expected_M, correlations, others_M, ridge=outlook.ridge, near_M=weights_M)
            weights_WM[row] = on_simplex(answer_M, others_M)
        corr_W = np.array([algebra.corr(row_M, expected_M, correlations) for row_M in weights_WM])
        return Without(tuple(query.models[place] for place in left_out), weights_WM, corr_W)


def allocated(
    expected_EM: Floats, query: Query, estimate: Estimate, ridge: float, *, names: tuple[str, ...] = (),
    probability_K: Floats | None = None, attention_R: Floats | None = None,
) -> Outlook:  # fmt: skip
    """The outlook of a family with expected scores; the last rows are those of the named regimes, were each certain."""
    weights_EM = best_blends(expected_EM, known(query.correlations_MM), query.active_M, ridge=ridge)
    contexts = len(expected_EM) - len(names)
    regimes = None if probability_K is None else Regimes(names, probability_K, weights_EM[contexts:])
    return Outlook(weights_EM[:contexts], expected_EM[:contexts], estimate, ridge, regimes, attention_R)


def values_by_name(models: tuple[str, ...], weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """Shapley values (M) that depend on no order of the models: where orders are drawn, they are drawn of names."""
    order = np.argsort(np.array(models))
    values = np.zeros(len(models))
    values[order] = algebra.shapley(
        weights_M[order], scores_M[order], among(correlations_MM, order), rng=np.random.default_rng(0)
    )
    return values


def _expected(outlook: Outlook, support: History | None, query: Query) -> tuple[Floats, Estimate]:
    """The family's expected scores (M) in the round's own context; recent means where it has none."""
    if outlook.expected_EM is not None:
        return np.nan_to_num(outlook.expected_EM[0]), outlook.estimate
    resolved = None if support is None else support.resolved()
    if resolved is None or not len(resolved):
        return np.zeros(len(query.models)), Estimate.RECENT
    return recent_means(resolved), Estimate.RECENT


def _like(outlook: Outlook, support: History | None, query: Query) -> Like:
    """The resolved rounds with most of the family's attention; by their context where it pays none."""
    resolved = None if support is None else support.resolved_rows()
    if support is None or resolved is None or not len(resolved):
        return Like(LikeBy.CONTEXT, (), ())
    if outlook.attention_R is not None:
        by, near_R = LikeBy.ATTENTION, outlook.attention_R[resolved] * len(resolved)
    else:
        past = support.take(resolved)
        by, near_R = LikeBy.CONTEXT, np.exp(-0.5 * context_distance(query.context_K[None], past)[0])
    most = np.argsort(-near_R, kind="stable")[:LIKE_ROUNDS]
    return Like(by, tuple(int(n) for n in support.rounds_R[resolved][most]), tuple(float(v) for v in near_R[most]))
