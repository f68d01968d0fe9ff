"""The dual of a rebalance: one price for each factor and limit. Suffixes: N assets, M prices, F free assets.

Prices stand in the order: factors, equalities, one-sided limits, gross, turnover; all but the first two are >= 0. The
factor risk is 1/2|y|^2 with y = Zw, whose price is y itself, so each price of a factor carries -1/2 price^2.
Everything is scaled so that the mean curvature is 1: prices then are of the size of weights, whatever the units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.kernel.problem import Problem, Row
from tournament.portfolio.kernel.response import Assets
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Side:
    """One equality, or one end of a linear limit: sign x exposure.w <= sign x bound."""

    name: str
    sign: float
    size: float
    bound: float
    row: Row


@dataclass(frozen=True, slots=True)
class Point:
    """The dual at some prices. `noise` is the rounding that its value carries."""

    prices_M: Floats
    value: float
    slope_M: Floats
    weights_N: Floats
    noise: float


@dataclass(frozen=True, slots=True)
class Dual:
    """The dual's data; `floor_M` is the least that each price may be, `given_M` 1 where a price pays for itself."""

    scale: float
    flip_N: Floats
    alpha_N: Floats
    matrix_LN: Floats
    """L = M - 2 rows: factors, then sides; columns mirrored so that no previous holding is negative."""
    bound_M: Floats
    given_M: Floats
    floor_M: Floats
    assets: Assets
    sides: tuple[Side, ...]

    def at(self, prices_M: Floats) -> Point:
        """Value, slope and book at prices."""
        reward_N = self.alpha_N - prices_M[:-2] @ self.matrix_LN
        gross_price, turnover_price = float(prices_M[-2]), float(prices_M[-1])
        weights_N = self.assets.respond(reward_N, gross_price, turnover_price)
        traded_N = np.abs(weights_N - self.assets.previous_N)
        gross, turnover, earned = _total(np.abs(weights_N)), _total(traded_N), float(reward_N @ weights_N)
        own_M = self.given_M * prices_M
        slope_M = np.empty(len(prices_M))
        slope_M[:-2] = self.matrix_LN @ weights_N
        slope_M[-2:] = gross, turnover
        slope_M -= self.bound_M + own_M
        charge = self.assets.charge(weights_N, traded_N)
        paid = gross_price * gross + turnover_price * turnover - float(prices_M @ self.bound_M)
        value = charge - earned + paid - 0.5 * float(own_M @ prices_M)
        return Point(prices_M, value, slope_M, weights_N, 1e-14 * (charge + abs(earned) + abs(paid)))

    def curvature(self, point: Point) -> Floats:
        """Minus the generalised Hessian (M x M) at a point."""
        jacobian_MF, ease_F = self.jacobian(point.weights_N)
        curvature_MM = (jacobian_MF * ease_F) @ jacobian_MF.T
        curvature_MM.flat[:: len(curvature_MM) + 1] += self.given_M
        return curvature_MM

    def jacobian(self, weights_N: Floats) -> tuple[Floats, Floats]:
        """How the limits move with the free assets (M x F), and these with their rewards (F)."""
        free_F = self.assets.free(weights_N)
        jacobian_MF = np.empty((len(self.bound_M), len(free_F)))
        # "clip" lets numpy write without a buffer; no place is out of bounds
        self.matrix_LN.take(free_F, axis=1, out=jacobian_MF[:-2], mode="clip")
        held_F = weights_N[free_F]
        np.sign(held_F, out=jacobian_MF[-2])
        np.sign(held_F - self.assets.previous_N[free_F], out=jacobian_MF[-1])
        return jacobian_MF, self.assets.ease_of(free_F, weights_N)

    def full_curvature(self) -> Floats:
        """Each price's curvature were every asset free (M): its natural scale (1 where it pays for itself)."""
        ease_N = np.where(self.assets.lower_N < self.assets.upper_N, self.assets.ease_N, 0.0)
        first, full_M = len(self.matrix_LN) - len(self.sides), np.ones(len(self.bound_M))
        full_M[first:-2] = (self.matrix_LN[first:] ** 2) @ ease_N
        full_M[-2:] = ease_N.sum()
        return np.asarray(full_M + 1e-12 * max(1.0, float(full_M.max())))

    def residual_M(self, point: Point) -> Floats:
        """What is left of the optimality conditions, price by price (M): zero at the optimum."""
        return np.asarray(np.maximum(self.floor_M, point.prices_M + point.slope_M) - point.prices_M)


def _total(values_N: Floats) -> float:
    return float(np.add.reduce(values_N))  # what .sum() comes to, a few microseconds sooner


def dual_of(problem: Problem) -> Dual:
    """The scaled, mirrored dual of a problem."""
    risky_N = problem.aversion * problem.risk.specific_N
    tradable_N = problem.lower_N < problem.upper_N
    scale = tradable_N.sum() / float(risky_N @ tradable_N) if tradable_N.any() else 1.0
    flip_N = np.where(problem.previous_N < 0, -1.0, 1.0)
    sides = _sides(problem.rows)
    factors = problem.risk.loadings_NK.shape[1]
    matrix_LN = np.empty((factors + len(sides), problem.assets))
    np.multiply(problem.risk.loadings_NK.T, np.sqrt(problem.aversion * scale) * flip_N, out=matrix_LN[:factors])
    for place, side in enumerate(sides, factors):
        np.multiply(side.row.exposure_N, flip_N * (side.sign / side.size), out=matrix_LN[place])
    equal = sum(side.row.least == side.row.most for side in sides)
    floor_M = np.zeros(len(matrix_LN) + 2)
    floor_M[: factors + equal] = -np.inf
    return Dual(
        scale, flip_N, scale * problem.alpha_N * flip_N, matrix_LN, _bounds(factors, sides, problem),
        np.concatenate((np.ones(factors), np.zeros(len(sides) + 2))), floor_M,
        _assets(problem, flip_N, scale * np.where(risky_N > 0, risky_N, 1.0 / scale), scale), sides,
    )  # fmt: skip


def _assets(problem: Problem, flip_N: Floats, curvature_N: Floats, scale: float) -> Assets:
    low_N, high_N = problem.lower_N * flip_N, problem.upper_N * flip_N
    previous_N = np.abs(problem.previous_N)
    return Assets(
        curvature_N, 1.0 / curvature_N, previous_N, curvature_N * previous_N, np.minimum(low_N, high_N),
        np.maximum(low_N, high_N), scale * problem.cost_N,
        scale * problem.impact_N if problem.impact_N.any() else None,
    )  # fmt: skip


def _sides(rows: tuple[Row, ...]) -> tuple[Side, ...]:
    """Equalities first, then every finite end of the others."""
    equal, other = [], []
    for row in rows:
        size = float(np.abs(row.exposure_N).max()) or 1.0
        if row.least == row.most:
            equal.append(Side(row.name, 1.0, size, row.most, row))
            continue
        if np.isfinite(row.most):
            other.append(Side(row.name, 1.0, size, row.most, row))
        if np.isfinite(row.least):
            other.append(Side(row.name, -1.0, size, row.least, row))
    return (*equal, *other)


def _bounds(factors: int, sides: tuple[Side, ...], problem: Problem) -> Floats:
    """The right-hand sides (M). A limit that cannot bind is put where no book comes, so that its price stays 0."""
    reach = float(np.maximum(np.abs(problem.lower_N), np.abs(problem.upper_N)).sum()) + 1.0
    turned = reach + float(np.abs(problem.previous_N).sum())
    ends = [side.sign * side.bound / side.size for side in sides]
    return np.array([*np.zeros(factors), *ends, min(problem.gross, reach), min(problem.turnover, turned)])


def named(dual: Dual) -> list[tuple[str, int]]:
    """Name and place among the prices of every limit; both ends of a linear limit bear its name."""
    first = len(dual.bound_M) - 2 - len(dual.sides)
    places = [(side.name, first + place) for place, side in enumerate(dual.sides)]
    return [*places, ("gross", len(dual.bound_M) - 2), ("turnover", len(dual.bound_M) - 1)]
