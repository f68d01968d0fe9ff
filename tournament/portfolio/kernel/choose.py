"""One way in for every rebalance: the dual method, few names, or the cone program, by what is asked besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tournament.errors import BadInput
from tournament.portfolio.kernel.few import solve_few
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solve import solve
from tournament.portfolio.risk import Floats


class Book(Protocol):
    """What every way answers."""

    @property
    def problem(self) -> Problem:
        """What was asked."""

    @property
    def weights_N(self) -> Floats:
        """The best book (N)."""

    def shadow_prices(self) -> dict[str, float]:
        """What the objective gains per unit by which a limit's bound is raised."""


@dataclass(frozen=True, slots=True)
class MostNames:
    """At most so many assets may be held."""

    most: int


def best_book(problem: Problem, besides: Sequence[object] = ()) -> Book:
    """The best book of a problem; besides its limits MostNames alone, or conic.py's, may be asked.

    Raises Infeasible, naming limits in conflict, and BadInput for names limited together with a cone.
    """
    if not besides:
        return solve(problem)
    names = [one for one in besides if isinstance(one, MostNames)]
    if names and len(names) == len(besides):
        return solve_few(problem, min(one.most for one in names))
    if names:
        raise BadInput("names can be limited only where nothing but the problem's own limits is asked")
    from tournament.portfolio.kernel.conic import ExpectedShortfall, TrackingError, solve_conic  # slow to load

    cones = [one for one in besides if isinstance(one, TrackingError | ExpectedShortfall)]
    if len(cones) < len(besides):
        raise BadInput("besides its limits a book can be asked for MostNames, TrackingError and ExpectedShortfall")
    return solve_conic(problem, cones)
