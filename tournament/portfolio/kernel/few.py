"""The best book of at most so many names, with a proof of how good it is. Suffixes: N assets, M prices.

At given prices every asset stands alone, so the best choice of k names is the k that gain most over holding nothing:
the Lagrangian bound of a limit on names is the dual's value less the gains of those left out, at any prices. The book
of chosen names has prices of its own; where its names are the k best at them, book and bound meet and it is the best
of all. Otherwise the names are changed and the widest proven gap is told. Source: ours; the bound is the Lagrangian
relaxation of Geoffrion 1974.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput, Infeasible
from tournament.portfolio.kernel.dual import Dual, dual_of
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.risk import Floats

ROUNDS, SWAPS, NEAR = 25, 12, 6
"""Choices by prices, exchanges after them, and how many names of either side are tried in each."""
DESCENTS, LEAST_GAIN = 60, 1e-9
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FewNames:
    """The book found, the most that any book of so many names can be worth, and the prices of its limits."""

    problem: Problem
    weights_N: Floats
    bound: float
    prices: dict[str, float]

    @property
    def gap(self) -> float:
        """By how much the objective could be better at most."""
        return max(0.0, self.bound - self.problem.value(self.weights_N))

    def shadow_prices(self) -> dict[str, float]:
        """What the objective gains per unit by which a limit's bound is raised, the names staying as they are."""
        return self.prices


def solve_few(problem: Problem, most: int) -> FewNames:
    """The best book found that holds at most `most` names. Raises Infeasible, and BadInput for fewer than one."""
    must_N = (problem.lower_N > 0) | (problem.upper_N < 0)
    if most < 1:
        raise BadInput(f"at most {most} names; give one or more")
    if must_N.sum() > most:
        raise Infeasible(f"{int(must_N.sum())} assets may not be left out, and at most {most} names are allowed")
    whole, dual = solve(problem), dual_of(problem)
    found = [*_by_prices(problem, dual, whole, must_N, most), *_by_leaving_out(problem, whole, must_N, most)]
    best = max(found, key=_value, default=None)
    if best is None:
        raise Infeasible(f"no book of {most} names was found that meets the other limits")
    best = _exchanged(problem, dual, best, must_N, most)
    starts = (whole.prices_M, _prices(dual, best))
    bound = min(_least_bound(dual, prices_M, must_N, most, _value(best)) for prices_M in starts)
    return FewNames(problem, best.weights_N, max(bound, _value(best)), best.shadow_prices())


def _by_prices(problem: Problem, dual: Dual, whole: Solution, must_N: Chosen, most: int) -> list[Solution]:
    """Books of the names that gain most at the prices of the book before, until a choice comes again."""
    seen: dict[bytes, Solution] = {}
    prices_M = whole.prices_M
    for _ in range(ROUNDS):
        chosen_N = _greatest(_gains(dual, prices_M, must_N), most)
        if chosen_N.tobytes() in seen or (found := _only(problem, chosen_N)) is None:
            break
        seen[chosen_N.tobytes()] = found
        prices_M = _prices(dual, found)
    return list(seen.values())


def _by_leaving_out(problem: Problem, whole: Solution, must_N: Chosen, most: int) -> list[Solution]:
    """The book from which a quarter of the surplus names, the smallest, is left out again and again; none if stuck."""
    best: Solution | None = whole
    while best is not None and (held := int((best.weights_N != 0).sum())) > most:
        size_N = np.where(must_N, np.inf, np.abs(best.weights_N))
        best = _only(problem, _greatest(size_N, held - max(1, (held - most) // 4)))
    return [] if best is None else [best]


def _value(solution: Solution) -> float:
    return solution.problem.value(solution.weights_N)


def _only(problem: Problem, chosen_N: Chosen) -> Solution | None:
    """The best book of these names; None where they meet no other limit."""
    lower_N, upper_N = np.where(chosen_N, problem.lower_N, 0.0), np.where(chosen_N, problem.upper_N, 0.0)
    try:
        return solve(replace(problem, lower_N=lower_N, upper_N=upper_N))
    except (Infeasible, NotConverged):
        return None


def _prices(dual: Dual, solution: Solution) -> Floats:
    """The prices of a book in the scale of another dual: of limits as the scale, of factors as its root."""
    ratio = dual.scale / solution.dual.scale
    return solution.prices_M * np.where(dual.given_M > 0, np.sqrt(ratio), ratio)


def _gains(dual: Dual, prices_M: Floats, must_N: Chosen) -> Floats:
    """What each asset gains over holding none of it at these prices (N); without end where it must be held."""
    assets, (gross_price, turnover_price) = dual.assets, prices_M[-2:]
    reward_N = dual.alpha_N - prices_M[:-2] @ dual.matrix_LN
    weights_N = assets.respond(reward_N, float(gross_price), float(turnover_price))

    def charged(held_N: Floats) -> Floats:
        traded_N = np.abs(held_N - assets.previous_N)
        cost_N = (assets.cost_N + turnover_price) * traded_N
        if assets.impact_N is not None:
            cost_N = cost_N + assets.impact_N * traded_N**1.5
        return np.asarray(
            0.5 * assets.curvature_N * held_N**2 - reward_N * held_N + gross_price * np.abs(held_N) + cost_N
        )

    return np.where(must_N, np.inf, charged(np.zeros_like(weights_N)) - charged(weights_N))


def _greatest(gains_N: Floats, most: int) -> Chosen:
    chosen_N = np.zeros(len(gains_N), dtype=bool)
    chosen_N[np.argsort(-gains_N, kind="stable")[:most]] = True
    return chosen_N


def _least_bound(dual: Dual, prices_M: Floats, must_N: Chosen, most: int, reached: float) -> float:
    """The most that a book of so many names can be worth: the least Lagrangian on a way of subgradients.

    Steps are Polyak's, towards the value that is reached already.
    """
    least = np.inf
    for _ in range(DESCENTS):
        gains_N, point = _gains(dual, prices_M, must_N), dual.at(prices_M)
        chosen_N = _greatest(gains_N, most)
        height = -(point.value + float(np.maximum(gains_N[~chosen_N], 0.0).sum())) / dual.scale
        least = min(least, height)
        slope_M = _slope(dual, prices_M, np.where(chosen_N, point.weights_N, 0.0))
        length = float(slope_M @ slope_M)
        if height <= reached or length <= 0:
            break
        step_M = slope_M * ((height - reached) * dual.scale / length)
        prices_M = np.maximum(prices_M + step_M, dual.floor_M)
    return float(least)


def _slope(dual: Dual, prices_M: Floats, weights_N: Floats) -> Floats:
    """The slope of the Lagrangian by the prices at a book (M)."""
    slope_M = np.empty(len(prices_M))
    slope_M[:-2] = dual.matrix_LN @ weights_N
    slope_M[-2:] = np.abs(weights_N).sum(), np.abs(weights_N - dual.assets.previous_N).sum()
    return np.asarray(slope_M - dual.bound_M - dual.given_M * prices_M)


def _exchanged(problem: Problem, dual: Dual, best: Solution, must_N: Chosen, most: int) -> Solution:
    """The book after exchanging held names of least gain for others of most, as long as that helps."""
    for _ in range(SWAPS):
        gains_N, held_N = _gains(dual, _prices(dual, best), must_N), best.weights_N != 0
        order = np.argsort(gains_N, kind="stable").tolist()
        leaving = [i for i in order if held_N[i] and not must_N[i]][:NEAR] if held_N.sum() >= most else [None]
        coming = [i for i in reversed(order) if not held_N[i]][:NEAR]
        tried = [_only(problem, _swapped(held_N, leaves, comes)) for leaves in leaving for comes in coming]
        better = max((one for one in tried if one is not None), key=_value, default=best)
        if _value(better) <= _value(best) + LEAST_GAIN * abs(_value(best)):
            break
        best = better
    return best


def _swapped(held_N: Chosen, leaves: int | None, comes: int) -> Chosen:
    chosen_N = held_N.copy()
    chosen_N[comes] = True
    if leaves is not None:
        chosen_N[leaves] = False
    return chosen_N
