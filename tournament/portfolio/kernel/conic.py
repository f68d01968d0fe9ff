"""The same rebalance as a cone program, for limits that the dual method does not hold, and as its oracle in tests.

A problem of one shape is compiled once (disciplined parametrised programming: Agrawal et al. 2019) and solved again by
Clarabel with other numbers. Suffixes: N assets, K factors, S scenarios.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import cvxpy as cp
import numpy as np

from tournament.errors import BadInput, Infeasible
from tournament.portfolio.kernel.conflict import conflict
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.risk import Floats

SHAPES_KEPT = 16
MEDIAN_CURVATURE = 1e3
"""Of a unit of weight in the scaled objective: books of a hundred names then are worth about one."""


@dataclass(frozen=True, slots=True)
class TrackingError:
    """The deviation of the book's return from a benchmark's, at most `most` (a day, like the risk model)."""

    benchmark_N: Floats
    most: float


@dataclass(frozen=True, slots=True)
class ExpectedShortfall:
    """The mean loss in the worst `tail` share of scenarios, at most `most`. Source: Rockafellar & Uryasev 2000."""

    returns_SN: Floats
    tail: float
    most: float

    def __post_init__(self) -> None:
        """Refuse a tail that is no share."""
        if not 0 < self.tail < 1:
            raise BadInput(f"tail is {self.tail}; expected a share between 0 and 1, like 0.05")


Extra = TrackingError | ExpectedShortfall


@dataclass(frozen=True, slots=True)
class ConicBook:
    """The best book of the cone program and what its limits cost."""

    problem: Problem
    weights_N: Floats
    prices: dict[str, float]

    def shadow_prices(self) -> dict[str, float]:
        """What the objective gains per unit by which a limit's bound is raised."""
        return self.prices


@dataclass(slots=True)
class _Program:
    problem: cp.Problem
    weights: cp.Variable
    parameters: dict[str, cp.Parameter]
    limits: list[tuple[str, float, cp.Constraint]] = field(default_factory=list)


_COMPILED: dict[tuple[object, ...], _Program] = {}


def solve_conic(problem: Problem, extras: Sequence[Extra] = (), *, tolerance: float = 1e-9) -> ConicBook:
    """The best book. Raises Infeasible, naming the limits in conflict."""
    program = _compiled(problem, extras)
    scale = _give(program, problem, extras)
    kept = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
    try:
        # a warm solver would keep the scaling of the numbers it solved before: the book would hang on its past
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
            program.problem.solve(solver=cp.CLARABEL, warm_start=False, **kept)
    except cp.error.SolverError as error:
        raise Infeasible(f"the solver gave up: {error}") from None
    if program.problem.status not in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}:
        found = conflict(problem)
        names = " and ".join(_name(place, extra) for place, extra in enumerate(extras))
        raise Infeasible(str(found) if found is not None else f"{names} cannot be met together with the other limits")
    prices: dict[str, float] = {}
    for name, sign, limit in program.limits:
        prices[name] = prices.get(name, 0.0) + sign * float(np.ravel(limit.dual_value)[0]) / scale
    return ConicBook(problem, np.asarray(program.weights.value, dtype=float), prices)


def _compiled(problem: Problem, extras: Sequence[Extra]) -> _Program:
    ends = tuple((row.name, row.least == row.most, *np.isfinite([row.least, row.most])) for row in problem.rows)
    kinds = tuple(
        (type(extra), extra.returns_SN.shape if isinstance(extra, ExpectedShortfall) else 0) for extra in extras
    )
    limited = (bool(np.isfinite(problem.gross)), bool(np.isfinite(problem.turnover)), bool(problem.impact_N.any()))
    key = (problem.risk.loadings_NK.shape, ends, kinds, limited)
    if key not in _COMPILED:
        if len(_COMPILED) >= SHAPES_KEPT:
            _COMPILED.clear()
        _COMPILED[key] = _compile(problem, extras)
    return _COMPILED[key]


def _compile(problem: Problem, extras: Sequence[Extra]) -> _Program:
    assets, factors = problem.risk.loadings_NK.shape
    w, trade = cp.Variable(assets), cp.Variable(assets)
    p = {name: cp.Parameter(assets) for name in ("alpha", "previous", "lower", "upper")}
    p |= {name: cp.Parameter(assets, nonneg=True) for name in ("specific", "cost", "impact")}
    p |= {"loadings": cp.Parameter((factors, assets)), "gross": cp.Parameter(nonneg=True)}
    p |= {"turnover": cp.Parameter(nonneg=True)}
    value = p["alpha"] @ w - p["cost"] @ cp.abs(trade) - 0.5 * cp.sum_squares(cp.multiply(p["specific"], w))
    if factors:
        value -= 0.5 * cp.sum_squares(p["loadings"] @ w)
    if problem.impact_N.any():
        value -= p["impact"] @ cp.power(cp.abs(trade), 1.5)
    rules: list[cp.Constraint] = [trade == w - p["previous"], w >= p["lower"], w <= p["upper"]]
    limits = _linear(problem, w, p)
    for name, size in (("gross", cp.norm1(w)), ("turnover", cp.norm1(trade))):
        if np.isfinite(getattr(problem, name)):
            limits.append((name, 1.0, size <= p[name]))
    for place, extra in enumerate(extras):
        limit, *defining = _extra(place, extra, w, p)
        limits.append((_name(place, extra), 1.0, limit))
        rules += defining
    rules += [limit for _, _, limit in limits]
    return _Program(cp.Problem(cp.Maximize(value), rules), w, p, limits)


def _linear(problem: Problem, w: cp.Variable, p: dict[str, cp.Parameter]) -> list[tuple[str, float, cp.Constraint]]:
    limits: list[tuple[str, float, cp.Constraint]] = []
    for place, row in enumerate(problem.rows):
        exposure = p[f"row {place}"] = cp.Parameter(problem.assets)
        least, most = (p.setdefault(f"{end} {place}", cp.Parameter()) for end in ("least", "most"))
        if row.least == row.most:
            limits.append((row.name, 1.0, exposure @ w == most))
            continue
        if np.isfinite(row.most):
            limits.append((row.name, 1.0, exposure @ w <= most))
        if np.isfinite(row.least):
            limits.append((row.name, -1.0, exposure @ w >= least))
    return limits


def _name(place: int, extra: Extra) -> str:
    return f"{'tracking error' if isinstance(extra, TrackingError) else 'expected shortfall'} {place}"


def _extra(place: int, extra: Extra, w: cp.Variable, p: dict[str, cp.Parameter]) -> list[cp.Constraint]:
    """The limit, then what defines its own variables: a product of parameters could not be solved again quickly."""
    most = p[f"extra most {place}"] = cp.Parameter(nonneg=True)
    if isinstance(extra, TrackingError):
        active = cp.Variable(w.size)
        p[f"benchmark {place}"] = cp.Parameter(w.size)
        # the parameters are sqrt(aversion) times the risk model's: so is the limit
        parts = [cp.multiply(p["specific"], active)]
        whole = cp.hstack([*([p["loadings"] @ active] if p["loadings"].size else []), *parts])
        return [cp.norm(whole) <= most, active == w - p[f"benchmark {place}"]]
    scenarios, at_risk = extra.returns_SN.shape[0], cp.Variable()
    returns = p[f"scenarios {place}"] = cp.Parameter(extra.returns_SN.shape)
    share = p[f"tail {place}"] = cp.Parameter(nonneg=True)
    loss = cp.Variable(scenarios)
    return [at_risk + share * cp.sum(cp.pos(loss - at_risk)) / scenarios <= most, loss == -(returns @ w)]


def _give(program: _Program, problem: Problem, extras: Sequence[Extra]) -> float:
    """Set the parameters; the objective is scaled so that absolute tolerances are small against it."""
    tradable_N = problem.lower_N < problem.upper_N
    risky_N = problem.aversion * problem.risk.specific_N
    scale = MEDIAN_CURVATURE / float(np.median(risky_N[tradable_N])) if tradable_N.any() else 1.0
    root = np.sqrt(problem.aversion * scale)
    values: dict[str, object] = {
        "alpha": scale * problem.alpha_N, "previous": problem.previous_N, "lower": problem.lower_N,
        "upper": problem.upper_N, "specific": root * np.sqrt(problem.risk.specific_N), "cost": scale * problem.cost_N,
        "impact": scale * problem.impact_N, "loadings": root * problem.risk.loadings_NK.T,
        "gross": problem.gross, "turnover": problem.turnover,
    }  # fmt: skip
    for place, row in enumerate(problem.rows):
        values |= {f"row {place}": row.exposure_N, f"least {place}": row.least, f"most {place}": row.most}
    for place, extra in enumerate(extras):
        values[f"extra most {place}"] = extra.most * (root if isinstance(extra, TrackingError) else 1.0)
        if isinstance(extra, TrackingError):
            values[f"benchmark {place}"] = extra.benchmark_N
        else:
            values |= {f"scenarios {place}": extra.returns_SN, f"tail {place}": 1.0 / extra.tail}
    for name, parameter in program.parameters.items():
        value = values[name]
        if np.isfinite(value).all():  # type: ignore[call-overload]
            parameter.value = value
    return scale
