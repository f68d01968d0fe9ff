"""One rebalance: the best book under limits and costs.

maximise  alpha.w - aversion/2 w'(LL' + S)w - sum(cost |w - w0|)
subject to  sum w = net, |sum beta w| = 0, sum |w| <= gross, |w| <= position, sum |w - w0| <= turnover.
Shape suffixes: N assets, K factors. Solved by the dual kernel, from the same start every time: a book depends on its
own numbers alone. Source: Boyd et al. 2017, "Multi-Period Trading via Convex Optimization", section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tournament.errors import Infeasible
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.premises import problem_of
from tournament.portfolio.risk import Floats, RiskModel

BINDING = 1e-6
ROUNDING = 1e-7
"""Weights smaller than this are a cone solver's dust."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The chosen book."""

    weights_N: Floats
    trades_N: Floats
    cost: float
    expected_alpha: float
    risk_per_year: float
    binding: tuple[str, ...] = field(default=())
    prices: dict[str, float] = field(default_factory=dict)
    """What expected alpha, net of risk and cost, would gain per unit of each limit."""

    @property
    def turnover(self) -> float:
        """Sum of absolute trades."""
        return float(np.abs(self.trades_N).sum())


def rebalance(
    alpha_N: Floats,
    risk: RiskModel,
    previous_N: Floats,
    limits: Limits,
    costs: Costs,
    *,
    beta_N: Floats | None = None,
    held_N: NDArray[np.bool_] | None = None,
) -> Allocation:
    """The best book given expected returns over the holding period; assets outside `held_N` are sold.

    Raises Infeasible, naming the limits in conflict.
    """
    problem = problem_of(alpha_N, risk, previous_N, limits, costs, beta_N=beta_N, held_N=held_N)
    try:
        weights_N, prices = _best(problem)
    except Infeasible as refusal:
        raise Infeasible(f"{_conflict(previous_N, limits)}; {refusal}") from None
    return _allocation(weights_N, prices, problem, limits)


def _best(problem: Problem) -> tuple[Floats, dict[str, float]]:
    """The best book and its limits' prices; by the cone program if the dual method stops short."""
    try:
        solution = solve(problem)
    except NotConverged:
        from tournament.portfolio.kernel.conic import solve_conic  # slow to load and hardly ever needed

        book = solve_conic(problem)
        return np.where(np.abs(book.weights_N) < ROUNDING, 0.0, book.weights_N), book.shadow_prices()
    return solution.weights_N, solution.shadow_prices()


def _allocation(weights_N: Floats, prices: dict[str, float], problem: Problem, limits: Limits) -> Allocation:
    trades_N = weights_N - problem.previous_N
    traded = float(np.abs(trades_N).sum())
    at_limit = {
        "gross": np.abs(weights_N).sum() >= limits.gross - BINDING,
        "turnover": traded >= limits.turnover - BINDING,
        f"position ({(np.abs(weights_N) >= limits.position - BINDING).sum()} assets)":
            (np.abs(weights_N) >= limits.position - BINDING).any(),
    }  # fmt: skip
    return Allocation(
        weights_N, trades_N, float(problem.cost_N @ np.abs(trades_N)), float(problem.alpha_N @ weights_N),
        float(np.sqrt(252.0 * problem.risk.variance(weights_N))),
        tuple(name for name, holds in at_limit.items() if holds), prices,
    )  # fmt: skip


def _conflict(previous_N: Floats, limits: Limits) -> str:
    """Name the limits that cannot be met together."""
    held = float(np.abs(previous_N).sum())
    reachable = limits.position * len(previous_N)
    if abs(limits.net) > reachable:
        return f"net {limits.net} cannot be reached: {len(previous_N)} assets of at most {limits.position} each"
    forced = float(np.maximum(np.abs(previous_N) - limits.position, 0).sum()) + max(0.0, held - limits.gross)
    return (
        f"no book meets turnover {limits.turnover}, gross {limits.gross}, position {limits.position}"
        f" and net {limits.net} together: the holdings (gross {held:.3f}) need trades of at least {forced:.3f}"
    )


def alpha_from_signal(signal_N: Floats, volatility_N: Floats, *, corr: float) -> Floats:
    """Expected returns of a rank signal: corr x volatility x standardised signal. Source: Grinold 1994."""
    spread = float(signal_N.std())
    standard = (signal_N - signal_N.mean()) / spread if spread > 0 else np.zeros(len(signal_N))
    return np.asarray(corr * volatility_N * standard)


def previous_on(ids: Sequence[str], held: dict[str, float]) -> NDArray[np.float64]:
    """Holdings by id in the order of a universe; what left the universe must be sold outside the program."""
    return np.array([held.get(name, 0.0) for name in ids])
