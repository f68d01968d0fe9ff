"""The risk model: right on average for optimised books, also where assets join, leave or have gaps."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadInput
from tournament.portfolio.calibration import calibrate, rolling
from tournament.portfolio.risk import RiskModel, decay, fit_characteristics_model, fit_risk_model

DAYS, ASSETS = 504, 300


def returns(seed: int = 0, *, days: int = DAYS, assets: int = ASSETS) -> tuple[np.ndarray, np.ndarray]:
    """Returns of a five-factor world (T x N) and its covariance."""
    rng = np.random.default_rng(seed)
    loadings = np.column_stack([rng.uniform(0.5, 1.5, assets), 0.5 * rng.standard_normal((assets, 4))]) * 0.01
    deviation = 0.01 * np.exp(0.3 * rng.standard_normal(assets))
    made = rng.standard_normal((days, 5)) @ loadings.T + deviation * rng.standard_normal((days, assets))
    return made, loadings @ loadings.T + np.diag(deviation**2)


def optimised_ratio(model: RiskModel, truth: np.ndarray, seed: int = 1) -> float:
    """Median over random alphas of true over forecast volatility of the book that is best for the model."""
    alphas = np.random.default_rng(seed).standard_normal((len(truth), 40)) * np.sqrt(np.diag(truth))[:, None]
    books = np.linalg.solve(model.covariance(), alphas)
    true = np.einsum("nb,nb->b", books, truth @ books)
    forecast = np.array([model.variance(book) for book in books.T])
    return float(np.median(np.sqrt(true / forecast)))


def test_optimised_books_are_as_risky_as_forecast() -> None:
    made, truth = returns()

    assert 0.9 < optimised_ratio(fit_risk_model(made), truth) < 1.1


def test_gaps_joiners_and_leavers_leave_the_forecast_right() -> None:
    made, truth = returns()
    rng = np.random.default_rng(2)
    made[rng.random(made.shape) < 0.05] = np.nan
    made[:400, :30] = np.nan
    made[470:, 30:60] = np.nan

    assert 0.9 < optimised_ratio(fit_risk_model(made), truth) < 1.1


def test_gaps_of_one_asset_hardly_change_the_risk_of_others() -> None:
    made, _ = returns()
    holed = made.copy()
    holed[::7, 3] = np.nan

    ours, theirs = (np.diag(fit_risk_model(one).covariance()) for one in (made, holed))

    assert theirs[3] == pytest.approx(ours[3], rel=0.2)
    assert np.delete(theirs, 3) == pytest.approx(np.delete(ours, 3), rel=0.03)


def test_an_asset_without_returns_has_the_median_risk_of_the_others() -> None:
    made, _ = returns()
    made[:, 0] = np.nan

    total = np.diag(fit_risk_model(made).covariance())

    assert total[0] == pytest.approx(np.median(total[1:]), rel=0.3)


def test_wide_and_narrow_universes_are_fitted_alike_from_either_gram_matrix() -> None:
    made, _ = returns(days=60, assets=61)

    wide = fit_risk_model(made, factors=5, half_life=1e9, shape_half_life=1e9)
    repeated = np.repeat(made, 2, axis=0)  # 120 days: now the assets' own matrix is the smaller
    narrow = fit_risk_model(repeated, factors=5, half_life=1e9, shape_half_life=1e9)

    assert wide.loadings_NK @ wide.loadings_NK.T == pytest.approx(
        narrow.loadings_NK @ narrow.loadings_NK.T, rel=0.1, abs=2e-6
    )


def test_risk_follows_a_rise_of_volatility_with_its_half_life() -> None:
    made, _ = returns()
    made[-63:] *= 3.0
    calm = fit_risk_model(made[:-63]).variance(np.ones(ASSETS))

    quick, slow = (fit_risk_model(made, half_life=days).variance(np.ones(ASSETS)) for days in (21.0, 252.0))

    assert calm < slow < quick < 12 * calm


def test_weights_of_days_halve_with_the_half_life_and_sum_to_one() -> None:
    assert decay(3, 1.0).tolist() == pytest.approx([1 / 7, 2 / 7, 4 / 7])


def test_given_characteristics_recover_their_factors() -> None:
    rng = np.random.default_rng(0)
    exposures = rng.standard_normal((400, 200, 3))
    factor, rest = 0.01 * rng.standard_normal((400, 3)), 0.02 * rng.standard_normal((400, 200))
    made = np.einsum("tnk,tk->tn", exposures, factor) + rest

    model = fit_characteristics_model(made, exposures, half_life=1e9)

    truth = 1e-4 * exposures[-1] @ exposures[-1].T + 4e-4 * np.eye(200)
    assert 0.9 < optimised_ratio(model, truth) < 1.1
    assert np.median(model.specific_N) == pytest.approx(4e-4, rel=0.1)


def test_a_missing_characteristic_sits_its_day_out() -> None:
    rng = np.random.default_rng(0)
    exposures, made = rng.standard_normal((100, 30, 2)), 0.01 * rng.standard_normal((100, 30))
    holed, wild = exposures.copy(), made.copy()
    holed[50, 7, 0] = np.nan
    wild[50, 7] = 9.0

    ours, theirs = (fit_characteristics_model(one, holed) for one in (made, wild))

    assert np.array_equal(ours.loadings_NK, theirs.loadings_NK)
    assert np.array_equal(ours.specific_N, theirs.specific_N)


def test_characteristics_of_another_shape_are_refused() -> None:
    with pytest.raises(BadInput, match=r"exposures are \(5, 3, 3\) for 5 days of 3 assets"):
        fit_characteristics_model(np.zeros((5, 3)), np.zeros((5, 3, 3)))


def test_a_right_forecast_has_a_bias_of_one() -> None:
    rng = np.random.default_rng(0)
    forecast = 0.01 * np.exp(0.5 * rng.standard_normal(4000))
    made = forecast * rng.standard_normal(4000)

    right, low = calibrate(made, forecast), calibrate(made, forecast / 2)

    assert right is not None
    assert low is not None
    assert abs(right.bias - 1) < 3 * right.bias_error
    assert right.bias_error == pytest.approx(1 / np.sqrt(2 * 4000), rel=0.1)
    assert right.qlike == pytest.approx(1.27, abs=0.1)  # E ln of a chi-squared of one degree is -1.27
    assert low.bias == pytest.approx(2 * right.bias)
    assert low.qlike > right.qlike


def test_calibration_by_hand_and_without_forecasts() -> None:
    made, forecast = np.array([0.02, -0.02, 0.01, 0.05]), np.array([0.01, 0.02, 0.01, np.nan])

    found = calibrate(made, forecast)

    assert found is not None
    assert found.days == 3
    assert found.bias == pytest.approx(np.sqrt((4 + 1 + 1) / 3))
    assert found.qlike == pytest.approx((4 - np.log(4) - 1) / 3)
    assert calibrate(made[:2], forecast[:2]) is None


def test_rolling_calibration_reads_no_later_day() -> None:
    rng = np.random.default_rng(0)
    made, forecast = rng.standard_normal(200), np.ones(200)
    changed = made.copy()
    changed[150:] *= 5

    for ours, theirs in zip(rolling(made, forecast, days=63), rolling(changed, forecast, days=63), strict=True):
        assert np.array_equal(ours[:150], theirs[:150], equal_nan=True)
        assert np.isnan(ours[:30]).all()
        assert (ours[150:] != theirs[150:]).all()
