"""Selectors that need little or no training; each in a few lines on the shared tokens and allocator.

Shape suffixes: R rounds, M models. All read `state.support`, which holds only what was known at the query's opening.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tournament.selectors.allocator import best_blend, copies, rows
from tournament.selectors.experts import specialists
from tournament.selectors.explanation.explained import Explained
from tournament.selectors.explanation.record import Estimate, Outlook
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights, on_simplex
from tournament.selectors.tokens import HALF_LIFE, cadence, recent_means, shrunk_means

PICKS = 40
STACK_RIDGE = 2.0
"""Shared by all that stack mean scores: with 0.1 they chase noise. This and the rates below were chosen on simulated
worlds 100-105 (500 and 5 000 assets, with regimes and without), which no reported figure uses."""
STACK_HALF_LIFE = 160.0
GREEDY_HALF_LIFE = 80.0
HEDGE_RATE = 0.3
SHARE_RATE = 3.0
SHARE = 0.02

Rule = Callable[[History, Query], Floats]


@dataclass(frozen=True)
class Baseline(Explained):
    """A rule that maps known history and a query to weights."""

    name: str
    rule: Rule
    reads_context = False

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Nothing is learned ahead."""
        return State(self.name)

    def adapt(self, state: State, support: History) -> State:
        """Keep the resolved rounds."""
        return state.adapted(support.resolved())

    def weigh(self, state: State, query: Query) -> Floats:
        """Ask the rule; with no resolved round, every model weighs the same."""
        needs_scores = self.name not in {"equal", "stake"}
        if needs_scores and (state.support is None or not len(state.support)):
            return equal_weights(query.active_M)
        return self.rule(state.support, query)  # type: ignore[arg-type]

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """The ridge stack has expected scores; the other rules have none."""
        if self.name == "ridge":
            return ridge_outlook(state.support, query, len(context_EC))
        return super().outlook(state, query, context_EC)


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
    known_M = recent_means(support, copies_M=copies(query.correlations_MM, query.active_M))
    means = np.where(query.active_M, known_M, -np.inf)
    return np.asarray(np.arange(len(means)) == int(means.argmax()), dtype=float)


def inverse_variance(support: History, query: Query) -> Floats:
    """By the inverse variance of scores; an unseen model counts as a typical one."""
    count = np.isfinite(support.scores_RM).sum(axis=0)
    squares = np.nansum((support.scores_RM - np.nanmean(support.scores_RM)) ** 2, axis=0)
    typical = max(squares.sum() / max(1, count.sum()), 1e-12)
    return on_simplex((count + 5.0) / (squares + 5.0 * typical), query.active_M)


def greedy(support: History, query: Query) -> Floats:
    """Forward selection with replacement of the blend's corr (Caruana et al. 2004), on kept statistics."""
    picks, correlations = np.zeros(len(query.active_M)), query.correlations_MM
    means = recent_means(support, GREEDY_HALF_LIFE, copies_M=copies(correlations, query.active_M))
    score, with_blend, variance, own = 0.0, np.zeros(len(picks)), 0.0, correlations.diagonal()
    for _ in range(PICKS):
        grown = variance + 2 * with_blend + own
        value = np.where(query.active_M, (score + means) / np.sqrt(np.maximum(grown, 1e-9)), -np.inf)
        best = int(value.argmax())
        picks[best] += 1
        score, variance = score + means[best], float(grown[best])
        with_blend = with_blend + rows(correlations, [best])[0]
    return picks / picks.sum()


def ridge(support: History, query: Query) -> Floats:
    """Ridge stacking: expanding mean scores against C + lambda I, long only."""
    return stacked(support, query)[0]


def stacked(support: History, query: Query) -> tuple[Floats, Floats]:
    """The ridge stack's weights and the expected scores that they rest on (M both)."""
    copies_M = copies(query.correlations_MM, query.active_M)
    expected_M = recent_means(support, STACK_HALF_LIFE, copies_M=copies_M)
    weights_M = best_blend(
        expected_M, query.correlations_MM, query.active_M, ridge=STACK_RIDGE, copies_M=copies_M
    )  # fmt: skip
    return weights_M, expected_M


def ridge_outlook(support: History | None, query: Query, asked: int) -> Outlook:
    """What the ridge stack answers, the same in every context; also what stands for families not trained yet."""
    resolved = None if support is None else support.resolved()
    if resolved is None or not len(resolved):
        return Outlook(np.tile(equal_weights(query.active_M), (asked, 1)))
    weights_M, expected_M = stacked(resolved, query)
    return Outlook(
        np.tile(weights_M, (asked, 1)), np.tile(expected_M, (asked, 1)), Estimate.SCORES, STACK_RIDGE
    )  # fmt: skip


def hedge(support: History, query: Query) -> Floats:
    """Exponential weights on scores (Freund and Schapire 1997), late scores counted when known; absent models sleep."""
    return _by_experts(specialists(_in_order_of_resolution(support), rate=HEDGE_RATE), query)


def fixed_share(support: History, query: Query) -> Floats:
    """Hedge that lets a little weight flow back to the models awake each round (Herbster and Warmuth 1998)."""
    return _by_experts(specialists(_in_order_of_resolution(support), rate=SHARE_RATE, share=SHARE), query)


def bma(support: History, query: Query) -> Floats:
    """Bayesian model averaging: the posterior that one model alone is the truth, tempered for overlap.

    Model j says y = mu p_j + noise, so a round's scores are s ~ N(mu C_j, C sigma^2) and all of C but s_j cancels: its
    log likelihood is (mu s_j - mu^2 / 2) / sigma^2. mu is the best shrunk mean score, sigma^2 the variance of scores
    about their model's mean. Targets of H rounds overlap, so each round counts 1 / H (a power posterior; Gruenwald and
    van Ommen 2017). It still concentrates on one model: evidence grows with the rounds, and no mixture is among the
    hypotheses though a mixture is the truth. Source: Hoeting et al. 1999, equation 1; sleeping as in `specialists`.
    """
    mean_M = shrunk_means(np.ones((1, len(support))), np.nan_to_num(support.scores_RM), np.isfinite(support.scores_RM))
    slope, variance = max(float(mean_M.max()), 0.0), score_variance(support)
    rate = slope / variance / overlap(support) if variance > 0 else 0.0
    return _by_experts(specialists(_in_order_of_resolution(support), rate=rate), query)


def score_variance(support: History) -> float:
    """Variance of scores about the mean of their model, pooled over models scored twice or more; 0 without any."""
    scored = np.isfinite(support.scores_RM)
    scores, count_M = np.where(scored, support.scores_RM, 0.0), np.maximum(scored.sum(axis=0), 1)
    squares_M = (np.where(scored, scores - scores.sum(axis=0) / count_M, 0.0) ** 2).sum(axis=0)
    return float(squares_M.sum() / max(1, (count_M - 1).sum()))


def overlap(support: History) -> int:
    """How many rounds open until a round is resolved, by the usual wait and cadence; 1 when none overlap."""
    wait = (support.resolves_at_R - support.opens_at_R).astype("timedelta64[s]").astype(float)
    return max(1, round(float(np.median(wait)) / cadence(support))) if len(support) > 1 else 1


def _in_order_of_resolution(support: History) -> Floats:
    """Scores (R x M) as they became known; rounds of one time in the order they opened."""
    return np.asarray(support.scores_RM[np.argsort(support.resolves_at_R, kind="stable")])


def _by_experts(log_weights_M: Floats, query: Query) -> Floats:
    """Weights in proportion among the models that submitted."""
    below_best_M = np.minimum(log_weights_M - log_weights_M[query.active_M].max(), 0.0)
    return on_simplex(np.exp(below_best_M), query.active_M)


RULES: dict[str, Rule] = {
    "equal": equal, "stake": stake, "trailing": trailing, "best_single": best_single,
    "inverse_variance": inverse_variance, "greedy": greedy, "ridge": ridge, "hedge": hedge, "fixed_share": fixed_share,
    "bma": bma,
}  # fmt: skip
