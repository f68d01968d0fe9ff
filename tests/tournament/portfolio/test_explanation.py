"""Each holding, each return and each limit is taken apart into parts that sum to the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.kernel.problems import plain_problem, random_problem
from tournament.errors import Infeasible
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.portfolio.attribution import SPECIFIC, Styles, attribute, styles_of
from tournament.portfolio.explanation import explain, worth
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.kernel.solve import solve
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.premises import Premises
from tournament.portfolio.risk import RiskModel
from tournament.portfolio.what_if import what_if

ASSETS = 60
rng = np.random.default_rng(2)
RISK = RiskModel(0.01 * rng.standard_normal((ASSETS, 4)), (0.02 * (1 + rng.random(ASSETS))) ** 2)
PREMISES = Premises(
    tuple(f"a{i}" for i in range(ASSETS)), 0.004 * rng.standard_normal(ASSETS), np.full(ASSETS, 0.004), RISK,
    0.01 * rng.standard_normal(ASSETS), Limits(position=0.04, turnover=0.8), Costs(), 1 + 0.2 * rng.random(ASSETS),
)  # fmt: skip
STYLES = Styles(("Market", "Beta", "Size"), np.column_stack([np.ones(ASSETS), rng.standard_normal((ASSETS, 2))]))


@pytest.mark.parametrize("impact", [0.0, 1e-3])
def test_the_parts_of_every_weight_sum_to_it(impact: float) -> None:
    explained = explain(solve(plain_problem(turnover=0.5, impact_N=np.full(120, impact))))

    assert explained.parts_NP.sum(axis=1) == pytest.approx(explained.weights_N, abs=1e-10)
    assert explained.trades_N == pytest.approx(explained.parts_NP.sum(axis=1) - explained.previous_N, abs=1e-10)


def test_at_the_margin_everything_is_used_up() -> None:
    problem = plain_problem(turnover=0.5)
    explained = explain(solve(problem))

    found = [explained.marginal(place) for place in range(problem.assets)]

    assert [sum(parts.values()) for parts in found] == pytest.approx([0.0] * problem.assets, abs=1e-12)
    assert [parts["alpha"] for parts in found] == pytest.approx(problem.alpha_N)


def test_alpha_stands_for_what_it_alone_would_hold() -> None:
    problem = plain_problem()

    explained = explain(solve(problem))

    alone_N = problem.alpha_N / (problem.aversion * problem.risk.specific_N)
    assert explained.parts_NP[:, explained.names.index("alpha")] == pytest.approx(alone_N)


def test_a_kink_charges_no_more_than_it_may() -> None:
    problem = plain_problem(turnover=0.5)
    solution = solve(problem)
    explained, prices = explain(solution), solution.shadow_prices()
    most = {"cost of trading": problem.cost_N, "turnover": prices["turnover"], "gross": prices["gross"]}

    curvature_N = problem.aversion * problem.risk.specific_N
    for name, charge in most.items():
        part_N = np.abs(explained.parts_NP[:, explained.names.index(name)]) * curvature_N
        assert (part_N <= charge * (1 + 1e-6) + 1e-12).all(), name


def test_a_position_limit_has_a_part_only_where_it_binds() -> None:
    problem = plain_problem()
    explained = explain(solve(problem))
    part_N = explained.parts_NP[:, explained.names.index("position limit")]

    at_limit_N = np.abs(np.abs(explained.weights_N) - 0.03) < 1e-12
    assert np.abs(part_N[~at_limit_N]).max() < 1e-10
    assert (part_N[at_limit_N] * explained.weights_N[at_limit_N] <= 1e-12).all()
    assert at_limit_N.any()


def test_random_books_are_taken_apart_too() -> None:
    solved = [_solved(seed) for seed in range(30)]
    books = [one for one in solved if one is not None]

    explained = [explain(one) for one in books]
    worst = max(
        np.abs(one.parts_NP.sum(axis=1) - one.weights_N).max() / np.abs(one.parts_NP).max() for one in explained
    )
    assert len(books) > 15
    assert worst < 1e-14


def _solved(seed: int) -> Solution | None:
    try:
        return solve(random_problem(seed))
    except Infeasible:
        return None


def test_the_worth_of_a_book_is_its_objective() -> None:
    problem = plain_problem(impact_N=np.full(120, 1e-3))
    weights_N = solve(problem).weights_N

    assert worth(problem, weights_N).net == pytest.approx(problem.value(weights_N))


def test_the_same_limits_give_the_same_book() -> None:
    same = what_if(PREMISES, PREMISES.limits)

    assert not same.change_N.any()
    assert same.other == same.chosen
    assert same.overlap == pytest.approx(1.0)


def test_a_wider_limit_is_worth_what_its_price_said() -> None:
    step, price = 1e-4, solve(PREMISES.problem()).shadow_prices()["gross"]

    wider = what_if(PREMISES, replace(PREMISES.limits, gross=1.0 + step))

    problem = PREMISES.problem()
    before = problem.value(wider.weights_N - wider.change_N)
    assert problem.value(wider.weights_N) - before == pytest.approx(price * step, rel=1e-2)
    assert price > 0


def test_limits_in_conflict_are_named() -> None:
    with pytest.raises(Infeasible, match="net"):
        what_if(PREMISES, replace(PREMISES.limits, position=1e-4, net=0.5))


def test_attributed_parts_sum_to_return_alpha_and_risk() -> None:
    weights_N, returns_N = solve(PREMISES.problem()).weights_N, 0.02 * rng.standard_normal(ASSETS)

    found = attribute(weights_N, STYLES, RISK, alpha_N=PREMISES.alpha_N, returns_N=returns_N)

    assert found.realised.sum() == pytest.approx(weights_N @ returns_N)
    assert found.predicted.sum() == pytest.approx(weights_N @ PREMISES.alpha_N)
    assert found.risk.sum() == pytest.approx(1.0)
    assert found.names[-1] == SPECIFIC


def test_returns_made_of_styles_alone_leave_nothing_specific() -> None:
    weights_N = solve(PREMISES.problem()).weights_N
    returns_N = STYLES.exposures_NS @ np.array([0.01, -0.02, 0.005])

    found = attribute(weights_N, STYLES, RISK, alpha_N=PREMISES.alpha_N, returns_N=returns_N)

    assert found.realised[-1] == pytest.approx(0.0, abs=1e-12)
    assert found.realised[1] == pytest.approx(-0.02 * float(STYLES.exposures_NS[:, 1] @ weights_N))


def test_styles_are_centred_and_cut() -> None:
    panel = simulate(SimulationConfig(seed=3, assets=20, weeks=30)).panel
    columns = np.arange(20)

    styles = styles_of(panel, columns)

    assert styles.names[:2] == ("Market", "Beta")
    assert np.abs(styles.exposures_NS).max() <= 3.0
    assert styles.exposures_NS[:, 1:].mean(axis=0) == pytest.approx(0.0, abs=0.2)
