"""Risk across markets: quick volatilities on slow correlations, hours that differ, and nothing taken for twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.multi_asset.books import RISK, panel
from tournament.portfolio.multi_asset.config import RiskRules, Rules
from tournament.portfolio.multi_asset.estimates import ewma_volatility, holdable, known_index, risk_at

RNG = np.random.default_rng(3)


def index_of(returns: np.ndarray) -> np.ndarray:
    return np.exp(np.cumsum(returns, axis=0))


def test_volatility_is_the_exponentially_weighted_root_mean_square() -> None:
    returns = np.array([[0.01], [-0.02], [0.04]])

    assert ewma_volatility(returns, 1.0)[0] ** 2 == pytest.approx((0.01**2 + 2 * 0.02**2 + 4 * 0.04**2) / 7)


def test_the_models_volatilities_are_the_quick_ones() -> None:
    index = index_of(RNG.normal(0, 0.01, (200, 5)) * np.where(np.arange(200) > 150, 3.0, 1.0)[:, None])
    known = risk_at(index, RISK)

    assert known.volatility_U == pytest.approx(ewma_volatility(index[1:] / index[:-1] - 1, 32.0))
    assert known.volatility_U.min() > 0.018


def test_a_market_that_answers_a_day_later_is_seen_to_be_the_same() -> None:
    news = RNG.normal(0, 0.01, 402)
    early, late = news[1:], news[:-1]
    index = index_of(np.stack([early, late, RNG.normal(0, 0.01, 401), RNG.normal(0, 0.01, 401)], axis=1))
    rules = RiskRules(factors=2, window_days=400, least_own=0.0)

    def correlation(overlap: int) -> float:
        known = risk_at(index, replace(rules, overlap_days=overlap))
        return float(known.covariance_UU[0, 1] / np.prod(known.volatility_U[:2]))

    assert abs(correlation(1)) < 0.3
    assert correlation(5) > 0.6


def test_no_two_instruments_are_taken_to_be_the_same() -> None:
    one = RNG.normal(0, 0.01, (300, 1))
    index = index_of(np.hstack([one, one + RNG.normal(0, 1e-5, (300, 1)), RNG.normal(0, 0.01, (300, 2))]))

    known = risk_at(index, replace(RISK, least_own=0.1))

    assert known.covariance_UU[0, 1] / np.prod(known.volatility_U[:2]) <= 0.9 + 1e-12


def test_weekends_are_part_of_mondays_step() -> None:
    one = panel()
    row = int(np.searchsorted(one.dates_T, np.datetime64("2018-10-08")))
    index = known_index(one, row, RISK)
    coin = one.ids.index("coins0")

    assert index[-1, coin] / index[-2, coin] == pytest.approx(one.index_TN[row, coin] / one.index_TN[row - 3, coin])


def test_what_is_young_gone_or_still_is_not_held() -> None:
    one, row = panel(), 200
    index = known_index(one, row, RISK)
    index[:-10, 0], index[:, 1] = np.nan, 1.0
    gone = one.index_TN.copy()
    gone[row - 20 :, 2] = np.nan

    here = holdable(replace(one, index_TN=gone), row, index, Rules(), RISK)

    assert here[:4].tolist() == [False, False, False, True]
