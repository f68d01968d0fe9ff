"""Which limits cannot hold together. Suffixes: N assets, M prices.

A direction of prices d proves a problem infeasible when  min over lower <= w <= upper of  d.(limits' excess at w)  is
above zero: any book within the position limits breaks one of the limits that d names (Farkas). The minimum is taken
asset by asset at the few kinks, so a proof is exact. The direction itself comes from the smallest break of all limits
in least squares: a rebalance whose every price pays for itself, which always has a solution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tournament.portfolio.kernel.dual import Dual, dual_of, named
from tournament.portfolio.kernel.newton import climb, start
from tournament.portfolio.kernel.problem import UNLIMITED, Problem
from tournament.portfolio.risk import Floats, RiskModel

NEARNESS = 1e-6
"""Weight of staying near the last book while the break is made small."""
ROUNDS, STEPS = 12, 200
MEANT = 1e-6
"""Smaller shares of a direction are rounding."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Limits of which one must break, the direction's price of each, and by how much they break at best in total."""

    prices: dict[str, float]
    least_break: float

    def __str__(self) -> str:
        """The names, strongest first."""
        names = sorted(self.prices, key=lambda name: -self.prices[name])
        if len(names) == 1:
            return f"{names[0]} cannot be met within the position limits"
        return f"{', '.join(names[:-1])} and {names[-1]} cannot be met together within the position limits"


def proof(dual: Dual, prices_M: Floats) -> float:
    """The least weighted excess that prices prove, relative to their size; above zero: infeasible."""
    direction_M = prices_M.copy()
    direction_M[: len(dual.matrix_LN) - len(dual.sides)] = 0.0
    size = float(np.abs(direction_M).max())
    if size <= 0:
        return 0.0
    direction_M = direction_M / size
    assets, exposed_N = dual.assets, direction_M[:-2] @ dual.matrix_LN
    at_N = (assets.lower_N, assets.upper_N, np.zeros_like(exposed_N), assets.previous_N)
    least_N = np.full(len(exposed_N), np.inf)
    for point_N in at_N:
        held_N = np.clip(point_N, assets.lower_N, assets.upper_N)
        cost_N = direction_M[-2] * np.abs(held_N) + direction_M[-1] * np.abs(held_N - assets.previous_N)
        least_N = np.minimum(least_N, exposed_N * held_N + cost_N)
    return float(least_N.sum()) - float(direction_M @ dual.bound_M)


def conflict(problem: Problem) -> Conflict | None:
    """Limits that cannot hold together, none of which could be left out; None when a book meets all of them."""
    found = _least_break(problem)
    if found is None:
        return None
    for name in sorted(found.prices, key=found.prices.__getitem__):
        if name in found.prices and len(found.prices) > 1:
            found = _least_break(_only(problem, set(found.prices) - {name})) or found
    return found


def _only(problem: Problem, names: set[str]) -> Problem:
    """The same problem with no limits but these and those of the positions."""
    return replace(
        problem, rows=tuple(row for row in problem.rows if row.name in names),
        gross=problem.gross if "gross" in names else UNLIMITED,
        turnover=problem.turnover if "turnover" in names else UNLIMITED,
    )  # fmt: skip


def _least_break(problem: Problem) -> Conflict | None:
    """The smallest break of all limits, and the limits that it leaves broken; None when it is nothing."""
    assets = problem.assets
    plain = replace(
        problem, alpha_N=np.zeros(assets), risk=RiskModel(np.zeros((assets, 0)), np.ones(assets)), aversion=1.0,
        cost_N=np.zeros(assets), impact_N=np.zeros(assets),
    )  # fmt: skip
    base = dual_of(plain)
    near_N = np.full(assets, NEARNESS)
    nearby = replace(base.assets, curvature_N=near_N, ease_N=1 / near_N, anchor_N=near_N * base.assets.previous_N)
    elastic = replace(base, assets=nearby, given_M=np.ones_like(base.bound_M))
    centre_N, full_M = np.clip(base.assets.previous_N, nearby.lower_N, nearby.upper_N), elastic.full_curvature()
    prices_M: Floats | None = None
    for _ in range(ROUNDS):
        around = replace(elastic, alpha_N=NEARNESS * centre_N)
        ascent = climb(around, start(around, prices_M), most=STEPS, full_M=full_M)
        prices_M, centre_N = ascent.point.prices_M, ascent.point.weights_N
        broken = float(np.linalg.norm(prices_M))
        if broken < 1e-10:
            return None
        if proof(base, prices_M) > 0.5 * broken:
            break
    if prices_M is None or proof(base, prices_M) <= 1e-12:
        return None
    return _told(base, prices_M, broken)


def _told(dual: Dual, prices_M: Floats, broken: float) -> Conflict:
    prices: dict[str, float] = {}
    most = float(np.abs(prices_M).max())
    for name, place in named(dual):
        share = abs(float(prices_M[place])) / most
        if share > MEANT:
            prices[name] = max(share, prices.get(name, 0.0))
    return Conflict(prices, broken)
