"""Shadow prices, gradients and conflicts come out of the dual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.kernel.problems import plain_problem
from tournament.errors import Infeasible
from tournament.portfolio.kernel.conflict import conflict
from tournament.portfolio.kernel.conic import solve_conic
from tournament.portfolio.kernel.problem import Problem, Row
from tournament.portfolio.kernel.solve import solve

STEP = 1e-6


def best(problem: Problem) -> float:
    """The objective at the optimum."""
    return problem.value(solve(problem).weights_N)


def test_the_price_of_gross_is_what_more_of_it_would_earn() -> None:
    problem = plain_problem(impact_N=np.full(120, 1e-3), gross=0.3)

    price = solve(problem).shadow_prices()["gross"]

    earned = best(replace(problem, gross=0.3 + STEP)) - best(replace(problem, gross=0.3 - STEP))
    assert price == pytest.approx(earned / (2 * STEP), rel=1e-4)
    assert price > 0


def test_the_price_of_turnover_is_what_more_of_it_would_earn() -> None:
    problem = plain_problem(turnover=0.3)

    price = solve(problem).shadow_prices()["turnover"]

    earned = best(replace(problem, turnover=0.3 + STEP)) - best(replace(problem, turnover=0.3 - STEP))
    assert price == pytest.approx(earned / (2 * STEP), rel=1e-4)


@pytest.mark.parametrize(("least", "most", "moved"), [(0.05, 0.05, 0), (0.05, 1.0, 0), (-1.0, -0.05, 1)])
def test_the_price_of_a_linear_limit_is_what_raising_it_earns(least: float, most: float, moved: int) -> None:
    def at(shift: float) -> Problem:
        ends = (most + shift, most + shift) if least == most else (least + shift * (1 - moved), most + shift * moved)
        return plain_problem(rows=(Row("net", 3 * np.ones(120), *ends),))

    price = solve(at(0.0)).shadow_prices()["net"]

    assert price == pytest.approx((best(at(STEP)) - best(at(-STEP))) / (2 * STEP), rel=1e-4)
    assert price != 0


def test_the_price_of_a_position_limit_is_what_raising_it_earns() -> None:
    problem = plain_problem()
    prices = solve(problem).position_prices()

    for asset, name in ((int(prices.argmax()), "upper_N"), (int(prices.argmin()), "lower_N")):
        moved = STEP * (np.arange(120) == asset)
        more, less = (replace(problem, **{name: getattr(problem, name) + sign * moved}) for sign in (1, -1))
        assert prices[asset] == pytest.approx((best(more) - best(less)) / (2 * STEP), rel=1e-4)


def test_the_cone_program_asks_the_same_prices() -> None:
    problem = plain_problem(
        turnover=0.3, rows=(Row("net", np.ones(120), 0.02, 0.5), Row("beta", np.linspace(0.5, 1.5, 120)))
    )

    assert solve_conic(problem).shadow_prices() == pytest.approx(solve(problem).shadow_prices(), abs=1e-7)


@pytest.mark.parametrize("impact", [0.0, 2e-3])
def test_gradients_of_the_net_value_agree_with_finite_differences(impact: float) -> None:
    rng = np.random.default_rng(5)
    problem = plain_problem(300, impact_N=np.full(300, impact), turnover=0.8)
    signals = problem.alpha_N[:, None] + 1e-3 * rng.standard_normal((300, 20))
    returns = 0.02 * rng.standard_normal(300)

    def earned(step: float, model: int) -> float:
        moved = replace(problem, alpha_N=problem.alpha_N + step * signals[:, model])
        weights = solve(moved).weights_N
        traded = np.abs(weights - problem.previous_N)
        return float(returns @ weights - problem.cost_N @ traded - problem.impact_N @ traded**1.5)

    gradient = signals.T @ solve(problem).net_value_gradient(returns)

    finite = [(earned(1e-6, model) - earned(-1e-6, model)) / 2e-6 for model in range(20)]
    assert gradient == pytest.approx(finite, rel=1e-5, abs=1e-5 * float(np.abs(gradient).max()))


def test_a_gradient_ascends() -> None:
    problem, returns = plain_problem(), 0.02 * np.random.default_rng(6).standard_normal(120)
    before = solve(problem)

    after = solve(replace(problem, alpha_N=problem.alpha_N + 1e-7 * before.holdings_gradient(returns)))

    assert returns @ after.weights_N > returns @ before.weights_N


NET, BETA = Row("net", np.ones(120)), Row("beta", np.ones(120), 0.1, 0.2)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"rows": (Row("net", np.ones(120), 4.0, 4.0),), "gross": 9.0}, {"net"}),
        ({"rows": (Row("net", np.ones(120), 0.5, 0.5), Row("tilt", np.arange(120.0))), "gross": 0.4}, {"net", "gross"}),
        ({"rows": (NET, BETA)}, {"net", "beta"}),
        ({"previous_N": np.full(120, 0.02), "turnover": 0.5, "rows": ()}, {"gross", "turnover"}),
        ({"previous_N": np.full(120, 0.008), "turnover": 0.5, "rows": (NET,)}, {"net", "turnover"}),
    ],
)  # fmt: skip
def test_the_limits_in_conflict_are_named_and_no_others(changed: dict[str, object], named: set[str]) -> None:
    problem = plain_problem(**changed)

    found = conflict(problem)

    assert found is not None
    assert set(found.prices) == named
    with pytest.raises(Infeasible, match="within the position limits") as caught:
        solve(problem)
    assert all(name in str(caught.value) for name in named)


def test_limits_that_just_meet_are_no_conflict() -> None:
    problem = plain_problem(rows=(Row("net", np.ones(120), 0.4, 0.4),), gross=0.4)

    weights = solve(problem).weights_N

    assert conflict(problem) is None
    assert weights.sum() == pytest.approx(0.4, abs=1e-9)
    assert weights.min() >= -1e-9


def test_the_gradient_by_a_thousand_models_is_that_of_finite_differences() -> None:
    problem, rng = (
        plain_problem(1500, lower_N=np.full(1500, -0.01), upper_N=np.full(1500, 0.01)),
        np.random.default_rng(7),
    )
    signals_NM = 0.03 * np.sqrt(problem.risk.specific_N)[:, None] * rng.standard_normal((1500, 1000))
    returns_N, solution, step = 0.02 * rng.standard_normal(1500), solve(problem), 2e-6

    gradient_M = signals_NM.T @ solution.net_value_gradient(returns_N)

    def earned(model: int, sign: int) -> float:
        moved = replace(problem, alpha_N=problem.alpha_N + sign * step * signals_NM[:, model])
        weights_N = solve(moved, prices_M=solution.prices_M).weights_N
        return float(returns_N @ weights_N - problem.cost_N @ np.abs(weights_N - problem.previous_N))

    checked = range(0, 1000, 10)
    finite = [(earned(model, 1) - earned(model, -1)) / (2 * step) for model in checked]
    assert gradient_M[list(checked)] == pytest.approx(finite, abs=1e-5 * np.abs(gradient_M).max())
