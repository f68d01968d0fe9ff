"""Figures of returns: golden values of quantstats 0.0.86 where both define one, worked by hand where it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tournament.portfolio import metrics
from tournament.portfolio.metrics import MEASURES, against, depths, resamples

NET = np.array([0.01, -0.02, 0.015, 0.0, -0.005, 0.03, -0.01, 0.02, -0.03, 0.012, 0.004, -0.007])
MARKET = np.array([0.005, -0.015, 0.02, 0.001, -0.01, 0.02, 0.0, 0.01, -0.02, 0.01, 0.0, -0.005])
GOLDEN = {
    "growth": 0.4402298366946842,
    "total": 0.017523320623048066,
    "volatility": 0.2719771046513758,
    "sharpe": 1.4670352510423403,
    "smart_sharpe": 0.72933221987117,
    "probable_sharpe": 0.6189517280910514,
    "sortino": 2.267850942385597,
    "largest_drawdown": -0.029999999999999916,
    "calmar": 14.674327889822848,
    "omega": 1.2638888888888886,
    "gain_to_pain": 0.26388888888888884,
    "tail_ratio": 1.0,
    "expected_shortfall": -0.03,
    "skewness": -0.23179653463826966,
    "excess_kurtosis": -0.27761266923426975,
    "win_rate": 0.5454545454545454,
    "payoff": 1.0532407407407407,
    "kelly": 0.11388611388611375,
}
"""What quantstats 0.0.86 gives for NET, with 252 periods a year and no riskless rate."""


@pytest.mark.parametrize("name", GOLDEN)
def test_the_figure_is_that_of_quantstats(name: str) -> None:
    assert float(getattr(metrics, name)(NET, 252.0)) == pytest.approx(GOLDEN[name], rel=1e-12)


def test_what_is_defined_otherwise_differs_as_told() -> None:
    count = len(NET)

    assert float(metrics.ulcer(NET, 252.0)) == pytest.approx(0.015261985259935107 * math.sqrt((count - 1) / count))
    assert float(metrics.recovery(NET, 252.0)) == pytest.approx(NET.sum() / -depths(NET).min())
    assert float(metrics.value_at_risk(NET, 252.0)) == pytest.approx(np.quantile(NET, 0.05))
    assert float(metrics.ulcer_performance(NET, 252.0)) == pytest.approx(
        float(metrics.growth(NET, 252.0)) / float(metrics.ulcer(NET, 252.0))
    )


def test_beside_the_market() -> None:
    found = against(NET, MARKET, 252.0)

    assert found.beta == pytest.approx(1.270706686930091)
    assert found.alpha == pytest.approx(-0.027957446808510738)
    assert found.correlation**2 == pytest.approx(0.8774622065063489)
    assert found.information == pytest.approx(0.03621321905249539 * math.sqrt(252))
    assert found.treynor == pytest.approx(NET.mean() * 252 / 1.270706686930091)


def test_errors_of_slope_and_alpha_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    market = 0.01 * rng.standard_normal((400, 200))
    net = 0.5 * market + 0.02 * rng.standard_normal((400, 200))

    found = [against(net[k], market[k], 1.0) for k in range(400)]

    assert np.std([one.beta for one in found]) == pytest.approx(np.mean([one.beta_error for one in found]), rel=0.1)
    assert np.std([one.alpha for one in found]) == pytest.approx(np.mean([one.alpha_error for one in found]), rel=0.1)


def test_drawdowns_count_the_start() -> None:
    assert depths(np.array([-0.1, 0.2, -0.5])) == pytest.approx([-0.1, 0.0, -0.5])


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.name)
def test_a_measure_of_many_series_is_that_of_each(measure: metrics.Measure) -> None:
    drawn = NET[resamples(len(NET), draws=7, block=3)]

    with np.errstate(all="ignore"):
        together = measure.of(drawn, 252.0)
        alone = [float(measure.of(one, 252.0)) for one in drawn]

    assert together == pytest.approx(alone, nan_ok=True)


def test_resamples_keep_neighbours_together() -> None:
    rows = resamples(1000, draws=50, block=21)

    following = np.diff(rows, axis=1) % 1000 == 1
    assert 1 - following.mean() == pytest.approx(1 / 21, abs=0.005)
    assert rows.min() >= 0
    assert rows.max() < 1000


def test_a_series_that_never_moves_has_no_ratios() -> None:
    still = np.zeros(30)

    assert math.isnan(float(metrics.sharpe(still, 252.0)))
    assert float(metrics.largest_drawdown(still, 252.0)) == 0
    assert math.isnan(float(metrics.calmar(still, 252.0)))
