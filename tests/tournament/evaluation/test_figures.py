"""Figures follow from weights, scores and truth; the report shows all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tournament.archive import Archive, read_archive
from tournament.evaluation import figures, statistics, study
from tournament.evaluation.report import html
from tournament.evaluation.walk_forward import Training
from tournament.worlds.panel_space import WorldConfig, draw, write_world
from tournament.worlds.truth import Truth, read_truth

CONFIG = study.StudyConfig(("stake", "ridge", "best_single"), warmup_rounds=12, retrain_every=10, seed=5)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("figures") / "world"
    write_world(draw(WorldConfig(seed=8, assets=60, models=6, rounds=40, joiners=0.5)), folder)
    return read_archive(folder)


@pytest.fixture(scope="module")
def done(archive: Archive) -> study.Study:
    return study.run(archive, CONFIG)


@pytest.fixture(scope="module")
def truth(archive: Archive, done: study.Study) -> Truth | None:
    return read_truth(archive.folder, done.history)


@pytest.fixture(scope="module")
def found(done: study.Study, truth: Truth) -> dict[str, Any]:
    return figures.report(done, truth)


def test_figures_follow_from_weights_and_scores(done: study.Study, found: dict[str, Any]) -> None:
    ridge, corr = found["selectors"]["ridge"], done.corr("ridge")

    assert (found["rounds"], found["scored_rounds"], found["models"], found["trials"]) == (40, 28, 6, 4)
    assert ridge["corr"] == pytest.approx(np.nanmean(corr))
    assert ridge["over_equal"] == pytest.approx(np.nanmean(corr - done.corr("equal")))
    assert ridge["standard_error"] == statistics.mean_with_error(corr, block=10, seed=5)[1]
    assert ridge["over_equal_interval_95"][0] < ridge["over_equal"] < ridge["over_equal_interval_95"][1]
    assert ridge["sharpe"] == pytest.approx(np.nanmean(corr) / np.nanstd(corr, ddof=1))
    assert 0 <= ridge["deflated_sharpe"] <= 1
    assert 0 <= ridge["turnover"] <= 1
    assert 1 <= ridge["effective_models"] <= 6
    assert 0 < ridge["weigh_ms_p50"] <= ridge["weigh_ms_p95"]
    assert found["selectors"]["best_single"]["effective_models"] == pytest.approx(1.0)
    assert found["probability_of_backtest_overfitting"] == statistics.overfitting_probability(done.corr_RS)


def test_each_selector_is_compared_with_every_rival_that_ran(done: study.Study, found: dict[str, Any]) -> None:
    assert set(found["selectors"]["best_single"]["gains"]) == {"equal", "stake", "ridge"}
    assert set(found["selectors"]["ridge"]["gains"]) == {"equal", "stake"}
    over_stake = found["selectors"]["ridge"]["gains"]["stake"]
    assert over_stake["difference"] == pytest.approx(np.nanmean(done.corr("ridge") - done.corr("stake")))
    assert over_stake["smallest_visible"] == pytest.approx(2.8416 * over_stake["standard_error"])


def test_harm_is_judged_against_equal_and_stake_weight(found: dict[str, Any]) -> None:
    words = {one["verdict"] for one in found["selectors"]["ridge"]["harm"].values()}

    assert set(found["selectors"]["ridge"]["harm"]) == {"equal", "stake"}
    assert words <= {"no harm shown", "harm", "cannot tell"}


def test_equal_weight_closes_nothing_of_the_gap(found: dict[str, Any]) -> None:
    equal = found["selectors"]["equal"]

    assert (equal["gap_share"], equal["gap_share_standard_error"]) == (0.0, 0.0)
    assert equal["expected_corr"] == pytest.approx(found["attainable"]["equal"])


def test_whoever_weighs_as_the_informed_filter_closes_all_of_the_gap(done: study.Study, truth: Truth) -> None:
    from tournament.worlds.truth import informed_weights

    informed = informed_weights(truth, done.history, range(12, 40))
    runs = {**done.runs, "ridge": replace(done.runs["ridge"], weights_RM=informed)}

    closed = figures.report(replace(done, runs=runs), truth)["selectors"]["ridge"]  # type: ignore[index]

    assert closed["gap_share"] == pytest.approx(1.0)
    assert closed["gap_share_standard_error"] == pytest.approx(0.0, abs=1e-12)


def test_what_is_attainable_is_ordered_by_what_is_known(found: dict[str, Any]) -> None:
    bounds = found["attainable"]

    assert bounds["equal"] < bounds["informed_bayes"] <= bounds["regime_oracle"]
    assert 0 < bounds["informed_share_of_oracle_gap"] <= 1


def test_a_family_that_keeps_validation_figures_shows_its_gap(done: study.Study) -> None:
    trainings = (Training(12, 0.08), Training(22, 0.04), Training(32, float("nan")))
    run = replace(done.runs["ridge"], trainings=trainings)
    corr = run.corr(done.history)

    shown = figures.report(replace(done, runs={**done.runs, "ridge": run}))["selectors"]["ridge"]  # type: ignore[index]

    outside = (corr[12:22].mean() + corr[22:32].mean()) / 2
    assert shown["overfitting_gap"]["validation_corr"] == pytest.approx(0.06)
    assert shown["overfitting_gap"]["gap"] == pytest.approx(0.06 - outside)


def test_a_family_without_validation_figures_has_no_gap(found: dict[str, Any]) -> None:
    assert found["selectors"]["ridge"]["overfitting_gap"] is None


def test_the_canary_is_in_the_report(found: dict[str, Any]) -> None:
    assert found["leak_canary"]["difference"] > 0


def test_the_report_shows_every_selector_sorted_by_corr(done: study.Study, found: dict[str, Any]) -> None:
    page = html(done, found, "Small <seas>")

    order = sorted(done.runs, key=lambda name: -found["selectors"][name]["corr"])
    places = [page.index(f"<td>{name}</td>") for name in order]
    assert "Selectors on Small &lt;seas&gt;" in page
    assert places == sorted(places)


def test_the_report_draws_corr_gap_gains_and_paths(done: study.Study, found: dict[str, Any]) -> None:
    page = html(done, found, "seas")

    for heading in ("Corr", "Share of the attainable gap", "Gain over equal", "Gain over stake", "Gain over ridge",
                    "Harm against equal and stake weight", "Overfitting", "Sum of corr", "Cost"):  # fmt: skip
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<svg") == 6
