"""Diagnoses of past eras: scores as the official library gives them, figures as worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numerai_tools.scoring import correlation_contribution, numerai_corr

from tournament.errors import BadInput
from tournament.scoring.diagnostics import (
    EraFigures,
    KnownEras,
    adjusted_sharpe,
    autocorrelation,
    diagnose,
    known_eras,
    moments,
    summarize,
)

ERAS, ROWS = 4, 60


@pytest.fixture
def rows() -> KnownEras:
    rng = np.random.default_rng(5)
    target_N = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], ERAS * ROWS)
    return KnownEras(
        rng.integers(0, 5, (ERAS * ROWS, 3)), target_N, rng.random(ERAS * ROWS), tuple(range(1, ERAS + 1)),
        tuple(range(ROWS, ERAS * ROWS + 1, ROWS)), ("Stress", "Rotation", "Stress", "Rotation"),
    )  # fmt: skip


@pytest.fixture
def values_N(rows: KnownEras) -> np.ndarray:
    return np.random.default_rng(6).random(ERAS * ROWS) + 0.3 * rows.target_N


def test_an_era_scores_as_the_official_library_says(rows: KnownEras, values_N: np.ndarray) -> None:
    found = diagnose(values_N, rows).eras[1]

    inside = rows.slices()[1]
    ids = [f"n{place:03d}" for place in range(ROWS)]
    ours, example = pd.DataFrame({"m": values_N[inside]}, ids), pd.Series(rows.example_N[inside], ids, name="example")
    target = pd.Series(rows.target_N[inside], ids, name="target")
    assert found.era == 2
    assert found.corr == pytest.approx(numerai_corr(ours, target)["m"], abs=1e-9)
    assert found.bmc == pytest.approx(correlation_contribution(ours, example, target)["m"], abs=1e-9)


def test_the_summary_is_that_of_the_eras(rows: KnownEras, values_N: np.ndarray) -> None:
    found = diagnose(values_N, rows)

    corr_E = [era.corr for era in found.eras]
    assert found.summary["corr_mean"] == pytest.approx(np.mean(corr_E))
    assert found.summary["corr_std"] == pytest.approx(np.std(corr_E, ddof=1))
    assert found.summary["corr_sharpe"] == pytest.approx(np.mean(corr_E) / np.std(corr_E, ddof=1))


def test_only_the_shape_of_the_predictions_counts(rows: KnownEras, values_N: np.ndarray) -> None:
    assert diagnose(np.exp(values_N), rows).summary["corr_mean"] == diagnose(values_N, rows).summary["corr_mean"]


def test_an_example_has_no_contribution_beside_itself(rows: KnownEras) -> None:
    found = diagnose(rows.example_N, rows)

    assert [era.bmc for era in found.eras] == pytest.approx([0.0] * ERAS, abs=1e-12)
    assert found.summary["corr_with_example"] == pytest.approx(1.0)


def test_without_an_example_what_needs_one_is_not_known(rows: KnownEras, values_N: np.ndarray) -> None:
    without = replace(rows, example_N=np.full(ERAS * ROWS, np.nan))

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
    known = EraFigures(1, "", 0.1, 0.0, 0.0, 0.0, 0.5, 0.2, 0.3)
    unknown = EraFigures(2, "", *[np.nan] * 7)

    found = summarize((known, unknown))

    assert (found["corr_mean"], found["max_feature_exposure"]) == (0.1, 0.5)


def test_no_rows_are_refused(rows: KnownEras) -> None:
    with pytest.raises(BadInput, match="no era"):
        diagnose(np.empty(0), rows.of(np.zeros(ERAS, dtype=bool)))


def test_beside_a_meta_model_there_is_a_contribution_and_before_one_there_is_none(
    rows: KnownEras, values_N: np.ndarray
) -> None:
    meta_N = np.random.default_rng(7).random(ERAS * ROWS)

    with_meta, without = diagnose(values_N, replace(rows, meta_N=meta_N)), diagnose(values_N, rows)

    inside = rows.slices()[0]
    ids = [f"n{place:03d}" for place in range(ROWS)]
    expected = correlation_contribution(
        pd.DataFrame({"m": values_N[inside]}, ids),
        pd.Series(meta_N[inside], ids),
        pd.Series(rows.target_N[inside], ids),
    )
    assert with_meta.eras[0].mmc == pytest.approx(expected["m"], abs=1e-9)
    assert without.plain()["summary"]["mmc_mean"] is None


def test_figures_by_regime_are_those_of_its_eras(rows: KnownEras, values_N: np.ndarray) -> None:
    found = diagnose(values_N, rows)

    stress = [era.corr for era in found.eras if era.regime == "Stress"]
    assert list(found.regimes) == ["Rotation", "Stress"]
    assert found.regimes["Stress"]["eras"] == 2
    assert found.regimes["Stress"]["corr_mean"] == pytest.approx(np.mean(stress))
    assert found.regimes["Stress"]["corr_standard_error"] == pytest.approx(np.std(stress, ddof=1) / np.sqrt(2))


def test_some_eras_score_as_they_do_among_all(rows: KnownEras, values_N: np.ndarray) -> None:
    chosen = np.array([False, True, False, True])

    some = diagnose(values_N[rows.rows_of(chosen)], rows.of(chosen))

    assert some.plain()["eras"] == diagnose(values_N, rows).plain()["eras"][1::2]


def test_a_file_is_read_era_by_era() -> None:
    columns = {"id": list("abcd"), "era": ["0001", "0001", "0003", "0003"], "f": [0, 1, 2, 3], "target": [0.0, 1, 0, 1]}

    found = known_eras(pd.DataFrame(columns), {3: "Stress"})

    assert (found.eras_E, found.ends_E, found.regimes_E) == ((1, 3), (2, 4), ("", "Stress"))
    with pytest.raises(BadInput, match="one after the other"):
        known_eras(pd.DataFrame(columns).iloc[::-1])
