"""Risk parity against a general optimiser, its definition, and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tournament.errors import BadInput
from tournament.portfolio.multi_asset.parity import (
    equal_risk,
    group_shares,
    nested_equal_risk,
    risk_shares,
    signed_equal_risk,
)

RNG = np.random.default_rng(0)


def covariance(assets: int) -> np.ndarray:
    loadings = RNG.standard_normal((assets, 3)) * RNG.uniform(0.001, 0.02, (assets, 1))
    return np.asarray(loadings @ loadings.T + np.diag(RNG.uniform(1e-6, 4e-4, assets)))


def test_two_assets_are_held_by_inverse_volatility_whatever_their_correlation() -> None:
    for correlation in (-0.9, 0.0, 0.7):
        matrix = np.array([[0.04, correlation * 0.2 * 0.1], [correlation * 0.2 * 0.1, 0.01]])

        assert equal_risk(matrix, np.ones(2)) == pytest.approx([1 / 3, 2 / 3])


def test_contributions_are_the_budgets() -> None:
    for assets in (3, 20, 100):
        matrix, budget = covariance(assets), 10.0 ** RNG.uniform(-3, 0, assets)

        assert np.abs(risk_shares(equal_risk(matrix, budget), matrix) - budget / budget.sum()).max() < 1e-12


def test_it_is_the_book_that_a_general_optimiser_finds() -> None:
    matrix, budget = covariance(8) * 1e4, RNG.uniform(0.1, 1.0, 8)
    budget /= budget.sum()

    found = minimize(
        lambda x: 0.5 * x @ matrix @ x - budget @ np.log(x), np.full(8, 0.3), jac=lambda x: matrix @ x - budget / x,
        method="L-BFGS-B", bounds=[(1e-9, None)] * 8, options={"ftol": 1e-16, "gtol": 1e-11, "maxiter": 5000},
    )  # fmt: skip

    assert equal_risk(matrix, budget) == pytest.approx(found.x / found.x.sum(), abs=1e-7)


def test_it_is_skfolios_book_of_equal_budgets() -> None:
    optimization = pytest.importorskip("skfolio.optimization", reason="skfolio is an optional extra")
    returns = RNG.standard_normal((400, 5)) @ np.linalg.cholesky(covariance(5)).T

    theirs = optimization.RiskBudgeting().fit(returns).weights_
    ours = equal_risk(np.cov(returns, rowvar=False), np.ones(5))

    assert ours == pytest.approx(theirs, abs=2e-4)


def test_shorts_carry_their_budgets_too() -> None:
    matrix, budget = covariance(12), RNG.uniform(-1, 1, 12)
    weights = signed_equal_risk(matrix, budget)

    assert (np.sign(weights) == np.sign(budget)).all()
    assert risk_shares(weights, matrix) == pytest.approx(np.abs(budget) / np.abs(budget).sum(), abs=1e-12)


def test_groups_get_their_shares_one_by_one_or_nested() -> None:
    matrix, groups = covariance(9), ("a",) * 5 + ("b",) * 3 + ("c",)
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    budget = np.array([0.1] * 5 + [0.1] * 3 + [0.2])

    for weights in (equal_risk(matrix, budget), nested_equal_risk(matrix, budget, groups, shares)):
        assert group_shares(weights, matrix, groups) == pytest.approx(shares, abs=1e-12)


def test_inside_a_nested_group_contributions_are_equal_to_the_groups_own_risk() -> None:
    matrix, groups = covariance(6), ("a",) * 4 + ("b",) * 2
    weights = nested_equal_risk(matrix, np.full(6, 1 / 6), groups, {"a": 0.5, "b": 0.5})

    assert risk_shares(weights[:4], matrix[:4, :4]) == pytest.approx([0.25] * 4, abs=1e-12)


def test_an_asset_without_a_budget_is_not_held() -> None:
    weights = equal_risk(covariance(4), np.array([0.0, 1.0, 1.0, 0.0]))

    assert weights[[0, 3]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("budget", [[-1.0, 1.0], [0.0, 0.0], [np.nan, 1.0]])
def test_budgets_that_are_none_are_refused(budget: list[float]) -> None:
    with pytest.raises(BadInput, match="risk budgets"):
        equal_risk(np.eye(2), np.array(budget))
