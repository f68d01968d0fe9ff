"""What a model did for the book: the derivative of what the accounts say the book earned, and Numerai's own figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numerai_tools import scoring as official

from tournament.errors import BadInput
from tournament.portfolio.accounting import hold
from tournament.portfolio.contribution import true_contributions
from tournament.portfolio.kernel.solve import solve
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.premises import Premises, unpacked
from tournament.portfolio.rebalance import alpha_from_signal
from tournament.portfolio.risk import RiskModel
from tournament.scoring.blend import blend
from tournament.scoring.portfolio_contribution import orthonormal, portfolio_contributions

ASSETS, MODELS, DAYS = 80, 6, 5
COSTS = Costs(half_spread=0.0005, borrow_per_year=0.02)
LIMITS = Limits(gross=1.0, position=0.05, turnover=0.6)
rng = np.random.default_rng(4)
PANEL = rng.random((ASSETS, MODELS)).astype(np.float32)
WEIGHTS = np.array([0.3, 0.25, 0.2, 0.15, 0.1, 0.0])
RETURNS = 0.03 * rng.standard_normal(ASSETS)
RISK = RiskModel(0.01 * rng.standard_normal((ASSETS, 3)), (0.02 * (1 + rng.random(ASSETS))) ** 2)
BETA = 1 + 0.2 * rng.standard_normal(ASSETS)
PREVIOUS = 0.01 * rng.standard_normal(ASSETS) * (rng.random(ASSETS) < 0.5)


def premises(weights_M: np.ndarray = WEIGHTS) -> Premises:
    scale_N = 0.03 * np.sqrt((RISK.loadings_NK**2).sum(axis=1) + RISK.specific_N) * np.sqrt(20)
    alpha_N = alpha_from_signal(blend(PANEL, weights_M), scale_N, corr=1.0)
    return Premises(tuple(map(str, range(ASSETS))), alpha_N, scale_N, RISK, PREVIOUS, LIMITS, COSTS, BETA)


def earned(weights_M: np.ndarray) -> float:
    """What the accounts say that the book of these weights earned."""
    book_N = solve(premises(weights_M).problem()).weights_N
    traded = float(np.abs(book_N - PREVIOUS).sum())
    return hold(book_N, traded, RETURNS, COSTS, days=DAYS).net_return


def contributions() -> np.ndarray:
    return true_contributions(solve(premises().problem()), premises(), PANEL, WEIGHTS, RETURNS, days=DAYS)


def test_it_is_the_slope_of_what_the_accounts_say() -> None:
    steps = 1e-5 * np.eye(MODELS)

    slopes = [(earned(WEIGHTS + step) - earned(WEIGHTS)) / 1e-5 for step in steps]

    assert contributions() == pytest.approx(slopes, abs=1e-3 * np.abs(slopes).max())
    assert np.abs(slopes).min() > 0


def test_only_the_proportions_of_the_weights_count() -> None:
    found = contributions()

    assert WEIGHTS @ found == pytest.approx(0.0, abs=1e-12)
    assert true_contributions(
        solve(premises().problem()), premises(), PANEL, 2 * WEIGHTS, RETURNS, days=DAYS
    ) == pytest.approx(found / 2)


def test_a_blend_without_spread_owes_nothing_to_anybody() -> None:
    flat = np.full_like(PANEL, 0.5)

    assert not true_contributions(
        solve(premises().problem()), premises(), flat, WEIGHTS, RETURNS, days=DAYS
    ).any()  # fmt: skip


def test_premises_come_back_as_they_went_and_give_the_same_book() -> None:
    back = unpacked(premises().packed())

    assert back.packed() == premises().packed()
    assert (solve(back.problem()).weights_N == solve(premises().problem()).weights_N).all()
    assert unpacked(replace(premises(), beta_N=None).packed()).beta_N is None


def test_other_bytes_are_no_premises() -> None:
    with pytest.raises(BadInput, match="no premises"):
        unpacked(b"a book")


def test_the_portfolio_contribution_is_the_official_one() -> None:
    target_N, stakes_M = rng.random(ASSETS), np.array([10.0, 0, 5, 1, 0, 2])
    basis_NK = orthonormal(np.column_stack([np.ones(ASSETS), BETA]))
    ids, names = pd.Index([f"n{i:03d}" for i in range(ASSETS)]), [f"m{j}" for j in range(MODELS)]

    ours = portfolio_contributions(
        PANEL, stakes_M, target_N, neutralizers_NK=basis_NK, row_weights_N=np.ones(ASSETS)
    )  # fmt: skip

    theirs = official.meta_portfolio_contribution(
        pd.DataFrame(PANEL, ids, names).astype(float), pd.Series(stakes_M, names), pd.DataFrame(basis_NK, ids),
        pd.Series(1.0, ids), pd.Series(target_N, ids),
    )  # fmt: skip
    assert ours == pytest.approx(theirs.to_numpy(), abs=1e-12)


def test_without_stakes_there_is_no_portfolio_to_contribute_to() -> None:
    found = portfolio_contributions(
        PANEL, np.zeros(MODELS), RETURNS, neutralizers_NK=np.ones((ASSETS, 1)), row_weights_N=np.ones(ASSETS)
    )  # fmt: skip

    assert np.isnan(found).all()
