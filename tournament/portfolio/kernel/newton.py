"""Newton's method on a dual that is concave, once differentiable and piecewise smooth. Suffix: M prices.

A step solves (H + damping x full curvature) step = slope over the prices not held at their floor, and is halved until
the dual rises. H loses rank where almost no asset is free; then, and only then, damping grows. Sources: Qi & Sun 1993
(semismooth Newton), Bertsekas 1982 (projected Newton for bounds), Marquardt 1963 (damping by the diagonal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_lapack_funcs

from tournament.portfolio.kernel.dual import Dual, Point
from tournament.portfolio.risk import Floats

TIGHT, ENOUGH = 1e-11, 1e-9
"""The residual aimed at, and the one taken when rounding lets no step rise any more."""
LEAST_DAMPING, FIRST_DAMPING, MOST_DAMPING = 1e-11, 1e-4, 1e4
SHORTEST = 1e-3
RISE, CREST = 1e-4, 0.3
MOST_LENGTHS = 8
(FACTOR, SOLVE) = get_lapack_funcs(("potrf", "potrs"), (np.zeros((1, 1)),))


@dataclass(frozen=True, slots=True)
class Ascent:
    """Where the ascent stands; `stuck` when no step rises."""

    point: Point
    residual: float
    damping: float
    steps: int
    stuck: bool = False

    @property
    def done(self) -> bool:
        """Whether the point is optimal as far as rounding allows."""
        return self.residual <= (ENOUGH if self.stuck else TIGHT)


def start(dual: Dual, prices_M: Floats | None = None) -> Ascent:
    """The ascent at given prices, or at zero."""
    fits = prices_M is not None and prices_M.shape == dual.bound_M.shape
    point = dual.at(
        np.maximum(prices_M, dual.floor_M) if fits and prices_M is not None else np.zeros_like(dual.bound_M)
    )
    return Ascent(point, _size(dual, point), LEAST_DAMPING, 0)


def climb(dual: Dual, ascent: Ascent, *, most: int, full_M: Floats) -> Ascent:
    """Up to `most` more steps, until the residual is below TIGHT or no step rises."""
    for _ in range(most):
        if ascent.stuck or ascent.residual <= TIGHT:
            break
        ascent = _step(dual, ascent, full_M)
    return ascent


def _step(dual: Dual, ascent: Ascent, full_M: Floats) -> Ascent:
    """One Newton step, damped more until one rises."""
    point, damping = ascent.point, ascent.damping
    near = min(1e-8, ascent.residual)
    held_M = (point.prices_M <= dual.floor_M + near) & (point.slope_M <= 0)
    free_A = (~held_M).nonzero()[0]
    curvature_AA = dual.curvature(point)
    if len(free_A) < len(held_M):
        curvature_AA = curvature_AA[free_A][:, free_A]
    while damping <= MOST_DAMPING:
        step_M = np.where(held_M, dual.floor_M - point.prices_M, 0.0)
        solved = _solved(curvature_AA, damping * full_M[free_A], point.slope_M[free_A])
        if solved is not None:
            step_M[free_A] = solved
            found = _search(dual, ascent, step_M)
            if found is not None:
                reached, length = found
                eased = max(LEAST_DAMPING, damping * (0.01 if length == 1.0 else 1.0))
                return Ascent(reached, _size(dual, reached), eased, ascent.steps + 1)
        damping = max(100.0 * damping, FIRST_DAMPING)
    return Ascent(point, ascent.residual, damping, ascent.steps, stuck=True)


def _solved(curvature_AA: Floats, damping_A: Floats, slope_A: Floats) -> Floats | None:
    """The step, or None where the damped curvature is not positive definite in floating point."""
    if slope_A.size == 0:
        return slope_A
    damped_AA = curvature_AA.copy()
    damped_AA.flat[:: len(damped_AA) + 1] += damping_A
    root_AA, fault = FACTOR(damped_AA, lower=True, clean=False)
    if fault:
        return None
    return np.asarray(SOLVE(root_AA, slope_A, lower=True)[0])


def _search(dual: Dual, ascent: Ascent, step_M: Floats) -> tuple[Point, float] | None:
    """A point that rises along the step, and the length of it that led there: 1, or near the crest of the path."""
    point, length, low, high = ascent.point, 1.0, 0.0, 1.0
    first = before = float(point.slope_M @ step_M)
    beyond, best = -first, None
    for _ in range(MOST_LENGTHS):
        reached = dual.at(np.maximum(point.prices_M + length * step_M, dual.floor_M))
        moved_M = reached.prices_M - point.prices_M
        rise, still = float(point.slope_M @ moved_M), float(reached.slope_M @ moved_M) / length
        # where the value is lost in rounding the residual still tells which point is better
        if (rise > 0 and reached.value >= point.value + RISE * rise - reached.noise) or (
            reached.value >= point.value - 100 * reached.noise and _size(dual, reached) < 0.5 * ascent.residual
        ):
            if abs(still) <= CREST * first or (length == 1.0 and still >= 0):
                return reached, length
            best = (reached, length) if best is None or reached.value > best[0].value else best
        if still > 0:
            low, before = length, still
        else:
            high, beyond = length, still
        if high - low < SHORTEST * high or high < SHORTEST:
            break
        share = before / (before - beyond) if before > beyond else 0.5
        length = low + (high - low) * min(0.9, max(0.1, share))
    return best


def _size(dual: Dual, point: Point) -> float:
    return float(np.maximum.reduce(np.abs(dual.residual_M(point))))
