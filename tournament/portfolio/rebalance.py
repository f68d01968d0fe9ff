"""One rebalance: the best book under limits and costs, by a convex solver.

maximise  alpha.w - aversion/2 w'(LL' + S)w - sum(cost |w - w0|)
subject to  sum w = net, |sum beta w| = 0, sum |w| <= gross, |w| <= position, sum |w - w0| <= turnover.
Shape suffixes: N assets, K factors. Solved as a cone program by Clarabel through cvxpy. Source: Boyd et al. 2017,
"Multi-Period Trading via Convex Optimization", section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from tournament.errors import Infeasible
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.risk import Floats, RiskModel

BINDING = 1e-6
ROUNDING = 1e-7
"""Weights smaller than this are the solver's dust."""
SCALE = 1e4
"""The objective is stated in basis points: absolute tolerances then are small against it."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The chosen book."""

    weights_N: Floats
    trades_N: Floats
    cost: float
    expected_alpha: float
    risk_per_year: float
    binding: tuple[str, ...] = field(default=())

    @property
    def turnover(self) -> float:
        """Sum of absolute trades."""
        return float(np.abs(self.trades_N).sum())


@dataclass(slots=True)
class _Program:
    """A compiled problem of one shape, solved again with other numbers."""

    problem: cp.Problem
    weights: cp.Variable
    parameters: dict[str, cp.Parameter]


_COMPILED: dict[tuple[int, int, bool], _Program] = {}


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
    neutral = limits.beta_neutral and beta_N is not None
    program = _compiled(len(alpha_N), risk.loadings_NK.shape[1], neutral)
    position_N = limits.position * (np.ones(len(alpha_N)) if held_N is None else held_N)
    values = {
        "alpha": alpha_N, "loadings": risk.loadings_NK.T * np.sqrt(limits.aversion),
        "specific": np.sqrt(limits.aversion * risk.specific_N), "previous": previous_N, "gross": limits.gross,
        "position": position_N, "net": limits.net, "turnover": limits.turnover, "cost": costs.half_spread,
    } | ({"beta": beta_N} if neutral else {})  # fmt: skip
    for name, value in values.items():
        program.parameters[name].value = value
    try:
        # a warm solver would keep the scaling of the numbers it solved before: the book would hang on its past
        program.problem.solve(solver=cp.CLARABEL, warm_start=False)
    except cp.error.SolverError as error:
        raise Infeasible(f"the solver gave up: {error}") from None
    if program.problem.status not in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}:
        raise Infeasible(_conflict(previous_N, limits))
    solution = np.asarray(program.weights.value, dtype=float)
    weights = np.where(np.abs(solution) < ROUNDING, 0.0, solution)
    return _allocation(weights, alpha_N, risk, previous_N, limits, costs)


def _compiled(assets: int, factors: int, neutral: bool) -> _Program:
    key = (assets, factors, neutral)
    if key not in _COMPILED:
        if len(_COMPILED) > 16:
            _COMPILED.clear()
        _COMPILED[key] = _compile(assets, factors, neutral)
    return _COMPILED[key]


def _compile(assets: int, factors: int, neutral: bool) -> _Program:
    w, trade = cp.Variable(assets), cp.Variable(assets)
    p = {name: cp.Parameter(assets) for name in ("alpha", "previous")}
    p |= {name: cp.Parameter(assets, nonneg=True) for name in ("specific", "position")}
    p["loadings"] = cp.Parameter((factors, assets))
    p |= {name: cp.Parameter(nonneg=True) for name in ("gross", "turnover", "cost")}
    p["net"] = cp.Parameter()
    risk = cp.sum_squares(p["loadings"] @ w) + cp.sum_squares(cp.multiply(p["specific"], w))
    value = p["alpha"] @ w - 0.5 * risk - p["cost"] * cp.norm1(trade)
    rules = [trade == w - p["previous"], cp.sum(w) == p["net"], cp.norm1(w) <= p["gross"]]
    rules += [w <= p["position"], w >= -p["position"], cp.norm1(trade) <= p["turnover"]]
    if neutral:
        p["beta"] = cp.Parameter(assets)
        rules.append(p["beta"] @ w == 0)
    return _Program(cp.Problem(cp.Maximize(SCALE * value), rules), w, p)


def _allocation(
    weights_N: Floats, alpha_N: Floats, risk: RiskModel, previous_N: Floats, limits: Limits, costs: Costs
) -> Allocation:
    trades_N = weights_N - previous_N
    traded = float(np.abs(trades_N).sum())
    at_limit = {
        "gross": np.abs(weights_N).sum() >= limits.gross - BINDING,
        "turnover": traded >= limits.turnover - BINDING,
        f"position ({(np.abs(weights_N) >= limits.position - BINDING).sum()} assets)":
            (np.abs(weights_N) >= limits.position - BINDING).any(),
    }  # fmt: skip
    return Allocation(
        weights_N, trades_N, traded * costs.half_spread, float(alpha_N @ weights_N),
        float(np.sqrt(252.0 * risk.variance(weights_N))), tuple(name for name, holds in at_limit.items() if holds),
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
