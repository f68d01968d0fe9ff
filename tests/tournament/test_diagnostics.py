"""Diagnoses of past eras: scores as the official library gives them, figures as worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import correlation_contribution, numerai_corr

from tournament.errors import BadInput
from tournament.scoring.diagnostics import (
    EraFigures,
    Validation,
    adjusted_sharpe,
    autocorrelation,
    diagnose,
    moments,
    summarize,
)

ERAS, ROWS = 4, 60


@pytest.fixture
def rows() -> Validation:
    rng = np.random.default_rng(5)
    era_N = np.repeat(np.arange(1, ERAS + 1), ROWS)
    target_N = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], ERAS * ROWS)
    return Validation(era_N, target_N, rng.integers(0, 5, (ERAS * ROWS, 3)).astype(float), rng.random(ERAS * ROWS))


@pytest.fixture
def values_N(rows: Validation) -> np.ndarray:
    return np.random.default_rng(6).random(ERAS * ROWS) + 0.3 * rows.target_N


def test_an_era_scores_as_the_official_library_says(rows: Validation, values_N: np.ndarray) -> None:
    found = diagnose(values_N, rows).eras[1]

    inside = rows.era_N == 2
    ids = [f"n{place:03d}" for place in range(ROWS)]
    ours, example = pd.DataFrame({"m": values_N[inside]}, ids), pd.Series(rows.example_N[inside], ids, name="example")
    target = pd.Series(rows.target_N[inside], ids, name="target")
    assert found.era == 2
    assert found.corr == pytest.approx(numerai_corr(ours, target)["m"], abs=1e-9)
    assert found.bmc == pytest.approx(correlation_contribution(ours, example, target)["m"], abs=1e-9)


def test_the_summary_is_that_of_the_eras(rows: Validation, values_N: np.ndarray) -> None:
    found = diagnose(values_N, rows)

    corr_E = [era.corr for era in found.eras]
    assert found.summary["corr_mean"] == pytest.approx(np.mean(corr_E))
    assert found.summary["corr_std"] == pytest.approx(np.std(corr_E, ddof=1))
    assert found.summary["corr_sharpe"] == pytest.approx(np.mean(corr_E) / np.std(corr_E, ddof=1))


def test_only_the_shape_of_the_predictions_counts(rows: Validation, values_N: np.ndarray) -> None:
    assert diagnose(np.exp(values_N), rows).summary["corr_mean"] == diagnose(values_N, rows).summary["corr_mean"]


def test_an_example_has_no_contribution_beside_itself(rows: Validation) -> None:
    found = diagnose(rows.example_N, rows)

    assert [era.bmc for era in found.eras] == pytest.approx([0.0] * ERAS, abs=1e-12)
    assert found.summary["corr_with_example"] == pytest.approx(1.0)


def test_without_an_example_what_needs_one_is_not_known(rows: Validation, values_N: np.ndarray) -> None:
    without = Validation(rows.era_N, rows.target_N, rows.features_NF, np.full(len(rows.era_N), np.nan))

    found = diagnose(values_N, without)

    assert np.isnan(found.summary["bmc_mean"])
    assert np.isnan(found.summary["corr_with_example"])
    assert np.isfinite(found.summary["corr_mean"])


def test_moments_worked_by_hand() -> None:
    found = moments(np.array([0.1, -0.3, 0.2, 0.0]))

    assert found["mean"] == pytest.approx(0.0)
    assert found["std"] == pytest.approx(np.sqrt(0.14 / 3))
    assert found["max_drawdown"] == pytest.approx(0.3)


def test_one_era_has_a_mean_and_no_spread() -> None:
    found = moments(np.array([0.1]))

    assert found["mean"] == pytest.approx(0.1)
    assert np.isnan(found["std"])
    assert np.isnan(found["sharpe"])


def test_the_adjusted_ratio_of_a_symmetric_two_point_series_is_worked_by_hand() -> None:
    values_E = np.array([0.0, 0.2] * 50)

    ratio = 0.1 / values_E.std(ddof=1)
    assert adjusted_sharpe(values_E) == pytest.approx(ratio * (1 + 2 * ratio**2 / 24))


def test_an_alternating_series_is_wholly_anticorrelated() -> None:
    assert autocorrelation(np.array([0.1, -0.1, 0.1, -0.1, 0.1])) == pytest.approx(-1.0)
    assert np.isnan(autocorrelation(np.array([0.1, 0.2])))


def test_eras_without_a_score_are_left_out() -> None:
    known = EraFigures(1, 0.1, 0.0, 0.0, 0.5, 0.2, 0.3)
    unknown = EraFigures(2, *[np.nan] * 6)

    found = summarize((known, unknown))

    assert (found["corr_mean"], found["max_feature_exposure"]) == (0.1, 0.5)


def test_no_rows_are_refused(rows: Validation) -> None:
    with pytest.raises(BadInput, match="no era"):
        diagnose(np.empty(0), rows.of(np.zeros(len(rows.era_N), dtype=bool)))
