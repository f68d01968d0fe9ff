"""A book of few names is found, with a proof of how good it is; every way of asking has one door."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from tests.tournament.portfolio.kernel.problems import plain_problem
from tournament.errors import BadInput, Infeasible
from tournament.portfolio.kernel.choose import MostNames, best_book
from tournament.portfolio.kernel.conic import TrackingError
from tournament.portfolio.kernel.few import FewNames, solve_few
from tournament.portfolio.kernel.problem import Problem
from tournament.portfolio.kernel.solve import solve


def small(seed: int) -> Problem:
    """Ten assets of which a few may take it all."""
    return plain_problem(10, seed, lower_N=np.full(10, -0.4), upper_N=np.full(10, 0.4))


def best_of_all(problem: Problem, names: int) -> float:
    """The best value of all choices of so many names."""
    return max(_value(problem, chosen) for chosen in combinations(range(problem.assets), names))


def _value(problem: Problem, chosen: tuple[int, ...]) -> float:
    held_N = np.isin(np.arange(problem.assets), chosen)
    try:
        few = replace(
            problem, lower_N=np.where(held_N, problem.lower_N, 0.0), upper_N=np.where(held_N, problem.upper_N, 0.0)
        )
        return problem.value(solve(few).weights_N)
    except Infeasible:
        return -np.inf


@pytest.mark.parametrize("seed", [0, 2, 3, 6])
def test_it_is_the_best_of_all_choices(seed: int) -> None:
    problem = small(seed)

    found = solve_few(problem, 4)

    assert problem.value(found.weights_N) == pytest.approx(best_of_all(problem, 4), rel=1e-9)
    assert (found.weights_N != 0).sum() <= 4
    assert problem.violation(found.weights_N) < 1e-9


@pytest.mark.parametrize("seed", range(4, 8))
def test_no_choice_is_better_than_the_bound(seed: int) -> None:
    problem = small(seed)

    found = solve_few(problem, 3)

    assert best_of_all(problem, 3) <= found.bound * (1 + 1e-9)
    assert found.gap >= 0


def test_a_larger_book_comes_with_a_narrow_gap() -> None:
    problem = plain_problem(300, previous_N=np.zeros(300))

    found = solve_few(problem, 50)

    assert (found.weights_N != 0).sum() <= 50 < (solve(problem).weights_N != 0).sum()
    assert found.gap < 0.1 * problem.value(found.weights_N)


def test_enough_names_leave_the_book_as_it_was() -> None:
    problem = small(1)

    found = solve_few(problem, 10)

    assert found.weights_N == pytest.approx(solve(problem).weights_N, abs=1e-10)
    assert found.gap == pytest.approx(0.0, abs=1e-12)


def test_more_musts_than_names_are_refused() -> None:
    problem = plain_problem(10, lower_N=np.full(10, 0.01), upper_N=np.full(10, 0.4), rows=())

    with pytest.raises(Infeasible, match="10 assets may not be left out"):
        solve_few(problem, 3)
    with pytest.raises(BadInput, match="one or more"):
        solve_few(problem, 0)


def test_one_door_leads_to_every_way() -> None:
    problem = plain_problem(40)

    plain, few = best_book(problem), best_book(problem, [MostNames(12), MostNames(9)])
    cone = best_book(problem, [TrackingError(np.zeros(40), 1.0)])

    assert isinstance(few, FewNames)
    assert (few.weights_N != 0).sum() <= 9
    assert cone.weights_N == pytest.approx(plain.weights_N, abs=1e-5)
    assert few.shadow_prices().keys() == plain.shadow_prices().keys()


@pytest.mark.parametrize("besides", [[MostNames(3), TrackingError(np.zeros(40), 1.0)], ["few"]])
def test_what_cannot_be_asked_together_is_refused(besides: list[object]) -> None:
    with pytest.raises(BadInput, match="can be"):
        best_book(plain_problem(40), besides)
