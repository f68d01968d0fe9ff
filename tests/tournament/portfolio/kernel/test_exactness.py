"""The dual method finds the optimum: by hand, by its own conditions, and as Clarabel does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.kernel.problems import plain_problem, random_problem
from tournament.errors import BadInput, Infeasible
from tournament.portfolio.kernel.conic import solve_conic
from tournament.portfolio.kernel.problem import Problem, Row, group_rows, volume_limits
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.kernel.solve import solve
from tournament.portfolio.risk import RiskModel

WIDE = np.array([1.0, 1.0])


def pair(**changed: object) -> Problem:
    """Two assets of specific variance 0.01 and no factor; aversion 20: curvature 0.2."""
    given: dict[str, object] = {
        "alpha_N": np.array([0.01, -0.01]), "risk": RiskModel(np.zeros((2, 0)), np.full(2, 0.01)),
        "previous_N": np.zeros(2), "lower_N": -WIDE, "upper_N": WIDE, "aversion": 20.0,
    }  # fmt: skip
    return Problem(**(given | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "weights"),
    [
        ({}, [0.05, -0.05]),
        ({"cost_N": np.array([0.004, 0.02])}, [0.03, 0.0]),
        ({"rows": (Row("net", np.ones(2), 0.02, 0.02),)}, [0.06, -0.04]),
        ({"gross": 0.06}, [0.03, -0.03]),
        ({"turnover": 0.04, "previous_N": np.array([0.05, 0.0])}, [0.05, -0.04]),
        ({"upper_N": np.array([0.01, 1.0])}, [0.01, -0.05]),
        # 0.2 w + 1.5 p sqrt(w) = 0.01 at w = 0.01 for p = 0.008 / 0.15
        ({"impact_N": np.full(2, 0.008 / 0.15)}, [0.01, -0.01]),
        # from short to long: the cost is paid on the way through zero, 0.2 w = 0.01 - 0.002
        ({"previous_N": np.array([-0.1, 0.0]), "cost_N": np.array([0.002, 0.0])}, [0.04, -0.05]),
    ],
)
def test_two_assets_solved_by_hand(changed: dict[str, object], weights: list[float]) -> None:
    assert solve(pair(**changed)).weights_N == pytest.approx(weights, abs=1e-12)


def solved(seed: int) -> Solution | str:
    """The solution, or which limits forbid one."""
    try:
        return solve(random_problem(seed))
    except Infeasible as refusal:
        return str(refusal)


def test_random_problems_meet_their_conditions_or_name_a_conflict() -> None:
    answers = [solved(seed) for seed in range(80)]

    found = [answer for answer in answers if isinstance(answer, Solution)]
    gaps = [abs(one.ascent.point.value / one.dual.scale + one.problem.value(one.weights_N)) for one in found]
    values = [max(1e-6, abs(one.problem.value(one.weights_N))) for one in found]
    assert len(found) > 50
    assert max(one.residual for one in found) < 1e-9
    assert max(one.problem.violation(one.weights_N) for one in found) < 1e-9
    assert max(np.divide(gaps, values)) < 1e-8
    assert all("cannot be met" in answer for answer in answers if isinstance(answer, str))


@pytest.mark.parametrize("seed", range(200, 212))
def test_clarabel_finds_no_better_book_and_the_same_conflicts(seed: int) -> None:
    problem = random_problem(seed, sizes=(30,))
    ours = solved_or_none(problem)

    if ours is None:
        with pytest.raises(Infeasible):
            solve_conic(problem)
    else:
        theirs = solve_conic(problem, tolerance=1e-10)
        best = problem.value(theirs.weights_N)
        assert abs(best - problem.value(ours.weights_N)) < 1e-8 * max(abs(best), 1e-2)


def solved_or_none(problem: Problem) -> Solution | None:
    """The solution if there is one."""
    try:
        return solve(problem)
    except Infeasible:
        return None


def test_the_order_of_assets_does_not_matter() -> None:
    problem, order = plain_problem(), np.random.default_rng(1).permutation(120)
    vectors = ("alpha_N", "previous_N", "lower_N", "upper_N", "cost_N", "impact_N")
    turned = replace(
        problem, **{name: getattr(problem, name)[order] for name in vectors},
        risk=RiskModel(problem.risk.loadings_NK[order], problem.risk.specific_N[order]),
        rows=tuple(Row(row.name, row.exposure_N[order]) for row in problem.rows),
    )  # fmt: skip

    assert solve(turned).weights_N == pytest.approx(solve(problem).weights_N[order], abs=1e-10)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_value_does_not_matter(unit: float) -> None:
    problem = plain_problem(impact_N=np.full(120, 1e-3))
    scaled = replace(
        problem, alpha_N=unit * problem.alpha_N, aversion=unit * problem.aversion, cost_N=unit * problem.cost_N,
        impact_N=unit * problem.impact_N,
    )  # fmt: skip

    assert solve(scaled).weights_N == pytest.approx(solve(problem).weights_N, abs=1e-10)


def test_long_and_short_are_mirror_images() -> None:
    problem = plain_problem()
    mirrored = replace(problem, alpha_N=-problem.alpha_N, previous_N=-problem.previous_N)

    assert solve(mirrored).weights_N == pytest.approx(-solve(problem).weights_N, abs=1e-10)


def test_where_it_starts_does_not_matter() -> None:
    problem = plain_problem()
    elsewhere = solve(plain_problem(seed=3)).prices_M

    assert solve(problem, prices_M=elsewhere).weights_N == pytest.approx(solve(problem).weights_N, abs=1e-10)


def test_what_may_not_be_traded_is_kept() -> None:
    problem = plain_problem()
    kept = np.arange(120) < 20

    weights = solve(problem.without_trades(kept)).weights_N

    assert np.array_equal(weights[kept], problem.previous_N[kept])


def test_groups_and_volumes_limit_the_book() -> None:
    sectors = np.arange(120) % 3
    most = volume_limits(0.03, np.linspace(1e5, 1e8, 120), share=0.01, book=1e6)

    weights = solve(
        plain_problem(rows=group_rows(sectors, kind="sector"), lower_N=-most, upper_N=most, previous_N=np.zeros(120))
    ).weights_N

    assert [abs(weights[sectors == one].sum()) for one in range(3)] == pytest.approx([0, 0, 0], abs=1e-10)
    assert (np.abs(weights) <= most).all()
    assert most[0] == pytest.approx(0.001)
    assert most[-1] == 0.03


def test_every_fault_of_a_problem_is_told() -> None:
    with pytest.raises(BadInput) as caught:
        plain_problem(alpha_N=np.full(120, np.nan), cost_N=np.full(120, -1.0), aversion=0.0, previous_N=np.zeros(3))

    message = str(caught.value)
    assert "alpha_N has 120 values that are no finite number" in message
    assert "cost_N has 120 negative values" in message
    assert "aversion is 0.0" in message
    assert "previous_N has 3 values; expected 120" in message
