"""Selectors that need little or no training; each in a few lines on the shared tokens and allocator.

Shape suffixes: R rounds, M models. All read `state.support`, which holds only what was known at the query's opening.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tournament.selectors.allocator import RIDGE, best_blend
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights, on_simplex
from tournament.selectors.tokens import shrunk_means

HALF_LIFE = 40.0
PICKS = 40
HEDGE_RATE = 2.0
SHARE = 0.02

Rule = Callable[[History, Query], Floats]


@dataclass(frozen=True)
class Baseline:
    """A rule that maps known history and a query to weights."""

    name: str
    rule: Rule

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Nothing is learned ahead."""
        return State(self.name)

    def adapt(self, state: State, support: History) -> State:
        """Keep the resolved rounds."""
        return state.adapted(support.resolved())

    def weights(self, state: State, query: Query) -> Floats:
        """Ask the rule; with no resolved round, every model weighs the same."""
        needs_scores = self.name not in {"equal", "stake"}
        if needs_scores and (state.support is None or not len(state.support)):
            return equal_weights(query.active_M)
        return self.rule(state.support, query)  # type: ignore[arg-type]


def recent_means(support: History, half_life: float = HALF_LIFE) -> Floats:
    """Exponentially weighted, shrunk mean score of each model (M)."""
    age = np.arange(len(support))[::-1]
    scored = np.isfinite(support.scores_RM)
    scores = np.where(scored, support.scores_RM, 0.0)
    return shrunk_means((0.5 ** (age / half_life))[None], scores, scored)[0]


def equal(support: History, query: Query) -> Floats:
    """The same for all."""
    return equal_weights(query.active_M)


def stake(support: History, query: Query) -> Floats:
    """By stake alone, as Numerai weights its meta-model."""
    return on_simplex(query.stakes_M, query.active_M)


def trailing(support: History, query: Query) -> Floats:
    """Softmax of recent mean scores in units of their own noise."""
    means = recent_means(support)
    noise = np.nanstd(support.scores_RM) / np.sqrt(min(len(support), HALF_LIFE))
    centred = np.clip((means - means[query.active_M].max()) / max(noise, 1e-9), -50, 0)
    return on_simplex(np.exp(centred), query.active_M)


def best_single(support: History, query: Query) -> Floats:
    """All weight on the model with the best recent mean."""
    means = np.where(query.active_M, recent_means(support), -np.inf)
    return np.asarray(np.arange(len(means)) == int(means.argmax()), dtype=float)


def inverse_variance(support: History, query: Query) -> Floats:
    """By the inverse variance of scores; an unseen model counts as a typical one."""
    count = np.isfinite(support.scores_RM).sum(axis=0)
    squares = np.nansum((support.scores_RM - np.nanmean(support.scores_RM)) ** 2, axis=0)
    typical = max(squares.sum() / max(1, count.sum()), 1e-12)
    return on_simplex((count + 5.0) / (squares + 5.0 * typical), query.active_M)


def greedy(support: History, query: Query) -> Floats:
    """Forward selection with replacement of the blend's corr (Caruana et al. 2004), on kept statistics."""
    means, picks = recent_means(support), np.zeros(len(query.active_M))
    score, with_blend, variance = 0.0, np.zeros(len(picks)), 0.0
    correlations = query.correlations_MM
    for _ in range(PICKS):
        grown = variance + 2 * with_blend + np.diag(correlations)
        value = np.where(query.active_M, (score + means) / np.sqrt(np.maximum(grown, 1e-9)), -np.inf)
        best = int(value.argmax())
        picks[best] += 1
        score, variance = score + means[best], float(grown[best])
        with_blend = with_blend + correlations[best]
    return picks / picks.sum()


def ridge(support: History, query: Query) -> Floats:
    """Ridge stacking: expanding mean scores against C + lambda I, long only."""
    return best_blend(recent_means(support, 160.0), query.correlations_MM, query.active_M, ridge=RIDGE)


def hedge(support: History, query: Query) -> Floats:
    """Exponential weights on summed scores (Freund and Schapire 1997), late scores counted when known."""
    gains = np.nansum(_excess(support), axis=0) * HEDGE_RATE
    return on_simplex(np.exp(gains - gains[query.active_M].max()), query.active_M)


def fixed_share(support: History, query: Query) -> Floats:
    """Hedge that lets a little weight flow back to all models each round (Herbster and Warmuth 1998)."""
    models = support.scores_RM.shape[1]
    log_weights = np.zeros(models)
    for excess in np.nan_to_num(_excess(support)) * 5.0 * HEDGE_RATE:
        log_weights = log_weights + excess
        shared = np.exp(log_weights - log_weights.max())
        log_weights = np.log((1 - SHARE) * shared / shared.sum() + SHARE / models)
    return on_simplex(np.exp(log_weights), query.active_M)


def _excess(support: History) -> Floats:
    """Scores less the mean of their round: a sleeping model neither gains nor loses."""
    return support.scores_RM - np.nanmean(support.scores_RM, axis=1, keepdims=True)


RULES: dict[str, Rule] = {
    "equal": equal, "stake": stake, "trailing": trailing, "best_single": best_single,
    "inverse_variance": inverse_variance, "greedy": greedy, "ridge": ridge, "hedge": hedge, "fixed_share": fixed_share,
}  # fmt: skip
