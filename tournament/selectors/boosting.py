"""FFORMA in our setting: trees that tilt the weights of a ridge stack, grown on the loss of the blend itself.

Shape suffixes: R rounds, M models, Q queries, E contexts to ask in, C context columns, T tokens. A round's weights are
p = softmax(b + f) over its models, b the log of what ridge gave them then and f the trees' output on what was known of
each; the loss is minus the corr of the blend p. Source: Montero-Manso et al. 2020, section 3, whose loss, p.err, takes
a combination to be as bad as its members are on average. Ours pays for what a model adds.
docs/decisions/0003-trees-tilt-the-ridge.md compares the maps to weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from tournament.selectors.allocator import surrogate_corr
from tournament.selectors.baselines import ridge, ridge_outlook
from tournament.selectors.explanation.explained import Explained
from tournament.selectors.explanation.record import Outlook, Regimes
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights, on_simplex
from tournament.selectors.shown import FITTED, shown
from tournament.selectors.tokens import SCALE, tokens, tokens_in_contexts
from tournament.selectors.weather import (
    Beliefs,
    beliefs_at_query,
    beliefs_in_contexts,
    beliefs_in_training,
    fit_weather,
    named,
)

MIN_ROUNDS = 40
TREES = 60
EQUAL_SHARE = 0.1
"""Share of equal weight in what is tilted, without which no tree could raise a model that ridge leaves out."""
FLOOR = 1e-6
OPTIONS = {
    "learning_rate": 0.2, "num_leaves": 4, "lambda_l2": 10.0, "feature_fraction": 0.6, "bagging_fraction": 0.7,
    "bagging_freq": 1, "feature_pre_filter": False, "num_threads": 1, "deterministic": True, "verbose": -1,
}  # fmt: skip

LEAF_ROWS, LEAVES_AT_LEAST = 200, 20
"""A leaf holds so many rows, fewer where the table would not fill so many leaves."""

Objective = Callable[[Floats, lightgbm.Dataset], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Fforma(Explained):
    """LightGBM over model tokens and contexts."""

    name: str = "fforma"

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Grow trees on every (round, model) whose score is known; its tokens saw only earlier resolutions."""
        history = tasks[-1]
        resolved, rows = history.resolved(), history.resolved_rows()
        if len(resolved) < MIN_ROUNDS:
            return State(self.name)
        weather = fit_weather(history, seed=budget.seed)
        scored_RM = np.isfinite(resolved.scores_RM)
        token_RMT = tokens(resolved, history, beliefs_in_training(weather, history, rows))
        table = _beside(token_RMT, resolved.context_RK)[scored_RM]
        base_RM = np.array(
            [_tilted_base(history.known_at(history.opens_at_R[row]), history.query(row)) for row in rows]
        )
        leaf_rows = min(LEAF_ROWS, len(table) // LEAVES_AT_LEAST)
        options = OPTIONS | {"seed": budget.seed, "min_data_in_leaf": leaf_rows, "objective": blend_objective(resolved)}
        grown = lightgbm.train(
            options,
            lightgbm.Dataset(table, np.zeros(len(table)), init_score=base_RM[scored_RM]), TREES,
        )  # fmt: skip
        text = grown.model_to_string().encode()
        logits_RM = base_RM.copy()
        logits_RM[scored_RM] += np.asarray(grown.predict(table, num_threads=1))
        about = {"shown": {FITTED: shown(gains_over_equal(softmax(logits_RM, scored_RM), resolved), history)}}
        return State(self.name, {"trees": np.frombuffer(text, dtype=np.uint8), **weather}, about)

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: contexts of open rounds tell the regime too."""
        return state.adapted(support)

    def weigh(self, state: State, query: Query) -> Floats:
        """Ridge weights tilted by the trees; ridge itself until they are grown."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        beliefs = beliefs_at_query(_weather(state), support, query)
        return on_simplex(_tilted(state, query, query.context_K[None], beliefs)[0], query.active_M)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Tilted weights in each context, and in each regime were it certain; it has no expected scores."""
        support = state.support
        if support is None or not len(support.resolved_rows()) or not state.arrays:
            return ridge_outlook(support, query, len(context_EC))
        weather, contexts = _weather(state), len(context_EC)
        found = beliefs_in_contexts(weather, support, context_EC)
        certain_KK = np.eye(found.query_QK.shape[1] if weather else 0, found.query_QK.shape[1])
        asked_EC = np.vstack([context_EC, np.tile(query.context_K, (len(certain_KK), 1))])
        beliefs = Beliefs(np.vstack([found.query_QK, certain_KK]), found.support_RK)
        weights_EM = _tilted(state, query, asked_EC, beliefs)
        if not weather:
            return Outlook(weights_EM)
        regimes = Regimes(named(weather, support), found.query_QK[0], weights_EM[contexts:])
        return Outlook(weights_EM[:contexts], regimes=regimes)


def _weather(state: State) -> dict[str, NDArray[Any]]:
    """The regime model of a state."""
    return {name: values for name, values in state.arrays.items() if name != "trees"}


def _tilted(state: State, query: Query, context_EC: Floats, beliefs: Beliefs) -> Floats:
    """Weights of one query in each of several contexts (E x M): the trees tilt the same ridge weights."""
    support: History = state.support  # type: ignore[assignment]
    trees = lightgbm.Booster(model_str=state.arrays["trees"].tobytes().decode())
    table = _beside(tokens_in_contexts(query, support, context_EC, beliefs), context_EC)
    tilt = np.asarray(trees.predict(table.reshape(-1, table.shape[2]), num_threads=1))
    logit_EM = _tilted_base(support, query) + tilt.reshape(table.shape[:2])
    return softmax(logit_EM, np.broadcast_to(query.active_M, logit_EM.shape))


def blend_objective(resolved: History) -> Objective:
    """Gradient and curvature bound of minus the blend's corr over all scored models, in LightGBM's form."""
    scored_RM = np.isfinite(resolved.scores_RM)
    scores_RM = np.where(scored_RM, resolved.scores_RM, 0.0)
    correlations_RMM = np.nan_to_num(resolved.correlations_RMM)
    # in units of scores of about one, and of one model: the same trees for ten models and for a thousand
    scale_R1 = SCALE * scored_RM.sum(axis=1, keepdims=True)

    def objective(logits: Floats, data: lightgbm.Dataset) -> tuple[Floats, Floats]:
        logits_RM = np.zeros(scored_RM.shape)
        logits_RM[scored_RM] = logits
        share_RM = softmax(logits_RM, scored_RM)
        slope_RM, bound_R1 = slopes(share_RM, scores_RM, correlations_RMM, scored_RM)
        gradient_RM = -scale_R1 * share_RM * slope_RM
        hessian_RM = scale_R1 * share_RM * (np.abs(slope_RM).max(axis=1, keepdims=True) + share_RM * bound_R1)
        return gradient_RM[scored_RM], hessian_RM[scored_RM] + FLOOR

    return objective


def slopes(
    share_RM: Floats, scores_RM: Floats, correlations_RMM: NDArray[np.float32], scored_RM: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """d corr / d p of every round's blend (R x M), and a bound of each round's second derivatives (R x 1).

    d corr / d f_j through the softmax is p_j (g_j - p.g), and p.g = 0 as corr is free of the weights' scale. So with
    Gp = -g the second derivative is p_j g_j + p_j^2 G_jj, at most p_j max|g| + p_j^2 max|G_jj|.
    """
    with_blend_RM = np.matmul(correlations_RMM, share_RM.astype(np.float32)[:, :, None])[:, :, 0].astype(float)
    variance_R1 = np.maximum((share_RM * with_blend_RM).sum(axis=1, keepdims=True), FLOOR)
    score_R1 = (share_RM * scores_RM).sum(axis=1, keepdims=True)
    slope_RM = (scores_RM - score_R1 / variance_R1 * with_blend_RM) / np.sqrt(variance_R1)
    bend_RM = 3.0 * score_R1 * with_blend_RM**2 / variance_R1 - 2.0 * scores_RM * with_blend_RM - score_R1
    bend_RM = np.where(scored_RM, np.abs(bend_RM) / variance_R1**1.5, 0.0)
    return np.where(scored_RM, slope_RM, 0.0), bend_RM.max(axis=1, keepdims=True)


def gains_over_equal(share_RM: Floats, resolved: History) -> Floats:
    """Linear corr of each round's blend of these weights less that of equal weights (R)."""
    gains = np.zeros(len(resolved))
    for row, (share_M, scores_M) in enumerate(zip(share_RM, resolved.scores_RM, strict=True)):
        correlations = np.nan_to_num(resolved.correlations_RMM[row].astype(float))
        corrs = [
            surrogate_corr(weights_M, scores_M, correlations)
            for weights_M in (share_M, equal_weights(np.isfinite(scores_M)))
        ]
        gains[row] = corrs[0] - corrs[1]
    return gains


def softmax(logits_RM: Floats, active_RM: NDArray[np.bool_]) -> Floats:
    """Shares over the active models of each round, which has at least one (R x M)."""
    logits_RM = np.where(active_RM, logits_RM, -np.inf)
    share_RM = np.exp(logits_RM - logits_RM.max(axis=1, keepdims=True))
    return np.asarray(share_RM / share_RM.sum(axis=1, keepdims=True))


def _tilted_base(known: History, query: Query) -> Floats:
    """Log of the ridge weights with a share of equal weight (M); of models that did not submit, a very small number."""
    resolved, equal_M = known.resolved(), equal_weights(query.active_M)
    stacked_M = ridge(resolved, query) if len(resolved) else equal_M
    return np.log(np.maximum((1.0 - EQUAL_SHARE) * stacked_M + EQUAL_SHARE * equal_M, FLOOR**2))


def _beside(token_QMT: Floats, context_QC: Floats) -> Floats:
    """Tokens beside contexts for every model of every query (Q x M x columns)."""
    context = np.broadcast_to(context_QC[:, None], (*token_QMT.shape[:2], context_QC.shape[1]))
    return np.concatenate([token_QMT, context], axis=2)
