"""The best book of a problem, or which limits forbid any."""

from __future__ import annotations

from tournament.errors import Infeasible, RegattaError
from tournament.portfolio.kernel.conflict import conflict, proof
from tournament.portfolio.kernel.dual import dual_of
from tournament.portfolio.kernel.newton import climb, start
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.risk import Floats

STEPS, MOST_STEPS = 25, 400
"""An infeasible problem's prices grow without end: every so many steps they are held against the proof."""
PROVEN = 1e-9


class NotConverged(RegattaError):
    """The dual method stopped short of the optimum although no limits conflict."""


def solve(problem: Problem, *, prices_M: Floats | None = None) -> Solution:
    """The best book; `prices_M` of a like problem's solution saves steps. Raises Infeasible, naming the limits."""
    dual = dual_of(problem)
    ascent, full_M = start(dual, prices_M), dual.full_curvature()
    while not ascent.done and not ascent.stuck and ascent.steps < MOST_STEPS:
        ascent = climb(dual, ascent, most=STEPS, full_M=full_M)
        if not ascent.done and proof(dual, ascent.point.prices_M) > PROVEN:
            break
    if ascent.done:
        return Solution(problem, dual, ascent)
    found = conflict(problem)
    if found is not None:
        raise Infeasible(str(found))
    if prices_M is not None:
        return solve(problem)
    raise NotConverged(f"stopped after {ascent.steps} steps with a residual of {ascent.residual:.1e}")
