"""A look-up of past rounds by how near their weather was: kernel regression on contexts, with no regimes fitted.

Shape suffixes: Q query rounds, R support rounds, M models, C columns looked at. Source: Nadaraya 1964 and Watson 1964
for the regression; Vinyals et al. 2016, section 2.1, for its use as a learner from episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tournament.regimes.filters import fit_scaling, whitening
from tournament.regimes.model import Scaling
from tournament.selectors.allocator import best_blend, surrogate_corr
from tournament.selectors.baselines import STACK_HALF_LIFE, STACK_RIDGE, ridge, ridge_outlook
from tournament.selectors.explanation.explained import Explained, allocated
from tournament.selectors.explanation.record import Estimate, Outlook
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.regime_lookup import SHRINK_ROUNDS
from tournament.selectors.tokens import as_history, copies_in, in_contexts, known_rounds, shrunk_means

MIN_ROUNDS = 30
BANDWIDTHS = (0.5, 0.7, 1.0, 4.0)
"""In root mean squared whitened columns; the last is so wide that the look-up is all but the plain recent mean."""
CHOOSING_ROUNDS = 120
"""The choice of bandwidth looks at so many of the last resolved rounds."""


@dataclass(frozen=True)
class Kernel(Explained):
    """Conditional mean scores by likeness of contexts, then the best blend."""

    name: str = "kernel"

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Whiten the contexts of the last task, and choose the bandwidth by its walk-forward blend corr."""
        history = tasks[-1]
        if not history.tells_weather(least=MIN_ROUNDS) or len(history.resolved()) < MIN_ROUNDS:
            return State(self.name)
        scaling = fit_scaling(history.contexts(), history.context_names)
        scaling = replace(scaling, turn_CC=whitening(np.cov(scaling.in_spreads(history.contexts()).T, ddof=0)))
        arrays = {name: np.asarray(getattr(scaling, name)) for name in Scaling.__dataclass_fields__}
        return State(self.name, arrays | {"bandwidth": np.array([choose_bandwidth(history, scaling)])})

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known."""
        return state.adapted(support)

    def weigh(self, state: State, query: Query) -> Floats:
        """Kernel means through the allocator; ridge until there is a metric."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        scaling = Scaling(**{name: state.arrays[name] for name in Scaling.__dataclass_fields__})
        distance_QR = squared_distance(scaling.apply(query.context_K[None]), scaling.apply(support.context_RK))
        means_QM = kernel_means(as_history(query, support), support, distance_QR, float(state.arrays["bandwidth"][0]))
        return best_blend(means_QM[0], query.correlations_MM, query.active_M, ridge=STACK_RIDGE)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Kernel means in each context; its attention is the kernel's."""
        support = state.support
        if support is None or not len(support.resolved_rows()) or not state.arrays:
            return ridge_outlook(support, query, len(context_EC))
        scaling = Scaling(**{name: state.arrays[name] for name in Scaling.__dataclass_fields__})
        bandwidth = float(state.arrays["bandwidth"][0])
        distance_ER = squared_distance(scaling.apply(context_EC), scaling.apply(support.context_RK))
        queries = in_contexts(query, support, context_EC)
        expected_EM = kernel_means(queries, support, distance_ER, bandwidth)
        near_R = nearness(recency(queries, support), distance_ER, bandwidth)[0]
        near_R = np.where(np.isfinite(support.scores_RM).any(axis=1), near_R, 0.0)
        return allocated(
            expected_EM, query, Estimate.SCORES, STACK_RIDGE, attention_R=near_R / max(near_R.sum(), 1e-300)
        )


def choose_bandwidth(history: History, scaling: Scaling) -> float:
    """The bandwidth with the best mean blend corr over the last resolved rounds, each weighed by what it then knew."""
    rows = history.resolved_rows()[-CHOOSING_ROUNDS:]
    queries, context_RC = history.take(rows), scaling.apply(history.context_RK)
    distance_QR = squared_distance(context_RC[rows], context_RC)
    means_BQM = [kernel_means(queries, history, distance_QR, bandwidth) for bandwidth in BANDWIDTHS]
    return BANDWIDTHS[int(np.argmax([_blend_corr(queries, means_QM) for means_QM in means_BQM]))]


def kernel_means(queries: History, support: History, distance_QR: Floats, bandwidth: float) -> Floats:
    """Expected score of each model in each query (Q x M): kernel mean of what was known, shrunk to its recent mean."""
    recent_QR = recency(queries, support)
    scored_RM = np.isfinite(support.scores_RM)
    scores_RM = np.where(scored_RM, support.scores_RM, 0.0)
    near_QR = nearness(recent_QR, distance_QR, bandwidth)
    overall_QM = shrunk_means(recent_QR, scores_RM, scored_RM, copies_in(queries))
    return np.asarray((near_QR @ scores_RM + SHRINK_ROUNDS * overall_QM) / (near_QR @ scored_RM + SHRINK_ROUNDS))


def recency(queries: History, support: History) -> Floats:
    """Weight of each support round by its age among those known to each query; 0 for the others (Q x R)."""
    known_QR = known_rounds(queries, support)
    age_QR = np.cumsum(known_QR[:, ::-1], axis=1)[:, ::-1] - 1
    return np.where(known_QR, 0.5 ** (age_QR / STACK_HALF_LIFE), 0.0)


def nearness(recent_QR: Floats, distance_QR: Floats, bandwidth: float) -> Floats:
    """The kernel's weight of each support round in each query (Q x R)."""
    return np.asarray(recent_QR * np.exp(-0.5 * distance_QR / bandwidth**2))


def squared_distance(query_QC: Floats, support_RC: Floats) -> Floats:
    """Mean squared difference over columns (Q x R)."""
    squares = (query_QC**2).sum(1)[:, None] + (support_RC**2).sum(1)[None] - 2.0 * query_QC @ support_RC.T
    return np.asarray(np.maximum(squares, 0.0) / query_QC.shape[1])


def _blend_corr(queries: History, means_QM: Floats) -> float:
    """Mean corr of the blends that the allocator makes of expected scores."""
    correlations = queries.correlations_RMM.astype(float)
    scored_QM = np.isfinite(queries.scores_RM)
    blends = map(partial(best_blend, ridge=STACK_RIDGE), means_QM, correlations, scored_QM)
    return float(np.mean([*map(surrogate_corr, blends, queries.scores_RM, correlations)]))
