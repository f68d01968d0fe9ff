"""Why an asset is held: its weight taken apart into alpha, risk, costs and the price of each limit. Exact sums.

At the optimum each asset's marginal gain is zero: alpha - aversion (LL'w + S w) - costs - prices of its limits = 0.
Divided by its own curvature, aversion x specific risk, that is an identity in weights: what alpha alone would hold, and
what the others take from it. A holding at a kink (0, or left as it was) is kept there by what the kink prices: the
gross limit, or the cost of trading. Suffixes: N assets, P parts. Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.risk import Floats

ALPHA, COMMON, OWN, COST, TURNOVER, GROSS, POSITION = (
    "alpha", "common risk", "own risk", "cost of trading", "turnover", "gross", "position limit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explained:
    """The book taken apart: `parts_NP` sum to the weights, and less the previous weights to the trades."""

    names: tuple[str, ...]
    parts_NP: Floats
    weights_N: Floats
    previous_N: Floats
    limited_N: Floats
    """What a unit more of its own position limit would gain (N)."""
    curvature_N: Floats
    """aversion x specific variance: what turns weights into marginal gains."""

    @property
    def trades_N(self) -> Floats:
        """What was traded."""
        return self.weights_N - self.previous_N

    def marginal(self, place: int) -> dict[str, float]:
        """What a unit of the asset would bring and what uses that up, its own risk last: they sum to 0."""
        own = float(self.curvature_N[place])
        parts = {name: own * float(value) for name, value in zip(self.names, self.parts_NP[place], strict=True)}
        return parts | {OWN: -own * float(self.weights_N[place])}


@dataclass(frozen=True, slots=True)
class Worth:
    """What a book is expected to bring, as fractions of its value over the horizon of its alpha."""

    alpha: float
    risk_charge: float
    """aversion/2 x variance: what the risk is held to cost."""
    cost: float

    @property
    def net(self) -> float:
        """The objective."""
        return self.alpha - self.risk_charge - self.cost


def explain(solution: Solution) -> Explained:
    """Every holding of a solved book taken apart."""
    problem, weights_N = solution.problem, solution.weights_N
    prices, limited_N = solution.shadow_prices(), solution.position_prices()
    named = _smooth(problem, weights_N, prices)
    trades_N = weights_N - problem.previous_N
    impact_N = 1.5 * problem.impact_N * np.sqrt(np.abs(trades_N))
    named[COST] = -np.sign(trades_N) * (problem.cost_N + impact_N)
    named[TURNOVER] = -np.sign(trades_N) * prices["turnover"]
    named[GROSS] = -np.sign(weights_N) * prices["gross"]
    named[POSITION] = -limited_N
    curvature_N = problem.aversion * problem.risk.specific_N
    left_N = curvature_N * weights_N - sum(named.values())
    for name, share_N in _at_kinks(problem, weights_N, prices).items():
        named[name] = named[name] + share_N * left_N
    parts_NP = np.column_stack(list(named.values())) / np.where(curvature_N > 0, curvature_N, 1.0)[:, None]
    return Explained(tuple(named), parts_NP, weights_N, problem.previous_N, limited_N, curvature_N)


def worth(problem: Problem, weights_N: Floats) -> Worth:
    """What a book is expected to bring, and what its risk and its trades are held to cost."""
    traded_N = np.abs(weights_N - problem.previous_N)
    cost = float(problem.cost_N @ traded_N + problem.impact_N @ traded_N**1.5)
    return Worth(float(problem.alpha_N @ weights_N), 0.5 * problem.aversion * problem.risk.variance(weights_N), cost)


def _smooth(problem: Problem, weights_N: Floats, prices: dict[str, float]) -> dict[str, Floats]:
    """The marginal terms that have no kink (N each)."""
    loadings_NK = problem.risk.loadings_NK
    named = {ALPHA: problem.alpha_N, COMMON: -problem.aversion * (loadings_NK @ (loadings_NK.T @ weights_N))}
    return named | {row.name: -prices[row.name] * row.exposure_N for row in problem.rows}


def _at_kinks(problem: Problem, weights_N: Floats, prices: dict[str, float]) -> dict[str, Floats]:
    """Which share of what is left over belongs to whom (N each): by what each could charge at the asset's kink."""
    still_N, flat_N = weights_N == problem.previous_N, weights_N == 0.0
    bound_N = still_N * problem.cost_N, still_N * prices["turnover"], flat_N * prices["gross"]
    total_N = sum(bound_N, np.zeros(len(weights_N)))
    fixed_N = np.where(total_N > 0, 0.0, 1.0)
    shares = [np.divide(one, total_N, out=np.zeros_like(total_N), where=total_N > 0) for one in bound_N]
    return dict(zip((COST, TURNOVER, GROSS, POSITION), (*shares, fixed_N), strict=True))
