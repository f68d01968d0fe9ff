"""Limits outside the dual method's form go to the cone program, behind the same question."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tournament.portfolio.kernel.problems import plain_problem
from tournament.errors import BadInput, Infeasible
from tournament.portfolio.kernel.conic import ExpectedShortfall, TrackingError, solve_conic
from tournament.portfolio.kernel.solve import solve


def test_without_extras_both_find_one_book() -> None:
    problem = plain_problem(impact_N=np.full(120, 1e-3))

    assert solve_conic(problem).weights_N == pytest.approx(solve(problem).weights_N, abs=1e-5)


def test_a_tracking_error_binds() -> None:
    problem, benchmark = plain_problem(), np.zeros(120)
    free = np.sqrt(problem.risk.variance(solve(problem).weights_N))

    book = solve_conic(problem, [TrackingError(benchmark, 0.5 * float(free))])

    assert np.sqrt(problem.risk.variance(book.weights_N)) == pytest.approx(0.5 * free, rel=1e-5)
    assert book.shadow_prices()["tracking error 0"] > 0


def test_an_expected_shortfall_binds() -> None:
    problem, scenarios = plain_problem(), 0.02 * np.random.default_rng(0).standard_normal((200, 120))

    def shortfall(weights: np.ndarray) -> float:
        return float(-np.sort(scenarios @ weights)[:20].mean())

    free = shortfall(solve(problem).weights_N)
    book = solve_conic(problem, [ExpectedShortfall(scenarios, 0.1, 0.5 * free)])

    assert shortfall(book.weights_N) == pytest.approx(0.5 * free, rel=1e-5)


def test_an_impossible_extra_is_named() -> None:
    with pytest.raises(Infeasible, match="tracking error 0 cannot be met"):
        solve_conic(plain_problem(), [TrackingError(np.full(120, 0.5), 1e-4)])


def test_a_tail_is_a_share() -> None:
    with pytest.raises(BadInput, match="tail is 5"):
        ExpectedShortfall(np.zeros((2, 2)), 5.0, 0.01)
