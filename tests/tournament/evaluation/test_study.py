"""A study leads every selector through an archive and scores its blends exactly."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tournament.archive import Archive, read_archive
from tournament.errors import BadConfig
from tournament.evaluation import study
from tournament.scoring.blend import blend
from tournament.scoring.panel import score_panel
from tournament.worlds.panel_space import WorldConfig, draw, write_world

CONFIG = study.StudyConfig(("stake", "ridge", "best_single"), warmup_rounds=12, retrain_every=10, seed=5)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("study") / "world"
    write_world(draw(WorldConfig(seed=8, assets=60, models=6, rounds=40, joiners=0.5)), folder)
    (folder / "targets/00040.parquet").unlink()
    return read_archive(folder)


@pytest.fixture(scope="module")
def done(archive: Archive) -> study.Study:
    return study.run(archive, CONFIG)


def test_a_blend_is_scored_as_the_tournament_scores_it(archive: Archive, done: study.Study) -> None:
    one, weights = archive.round(25), done.runs["ridge"].weights_RM[25]
    columns = [archive.models.index(name) for name in one.models]

    expected = score_panel(blend(one.predictions_NM, weights[columns])[:, None], one.target_or_nan()).corr[0]

    assert done.corr("ridge")[25] == pytest.approx(expected, abs=1e-12)


def test_all_weight_on_one_model_scores_as_the_model(archive: Archive, done: study.Study) -> None:
    one, weights = archive.round(20), done.runs["best_single"].weights_RM[20]
    chosen = one.models.index(archive.models[int(weights.argmax())])

    alone = score_panel(one.predictions_NM[:, [chosen]], one.target_or_nan()).corr[0]

    assert done.corr("best_single")[20] == pytest.approx(alone, abs=1e-12)


def test_rounds_of_the_warm_up_and_without_target_have_no_score(done: study.Study) -> None:
    assert np.isnan(done.corr_RS[:12]).all()
    assert np.isnan(done.corr_RS[39]).all()
    assert np.isfinite(done.corr_RS[12:39]).all()


def test_a_blend_that_ranks_nothing_scores_zero_beside_the_others(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    shutil.copytree(archive.folder, folder)
    panel = pd.read_parquet(folder / "predictions/00025.parquet")
    mute = panel.columns[1]
    panel.assign(**{mute: np.float32(0.5)}).to_parquet(folder / "predictions/00025.parquet", index=False)
    same = read_archive(folder)
    equal, silent = np.full((40, len(same.models)), 1.0 / len(panel.columns[1:])), np.zeros((40, len(same.models)))
    silent[:, same.models.index(mute)] = 1.0

    corr_S = study.exact_corr(same, [equal, silent])[24]

    assert corr_S[1] == 0.0
    assert np.isfinite(corr_S[0])
    assert corr_S[0] != 0.0


def test_equal_weight_is_always_led_along(done: study.Study) -> None:
    assert list(done.runs) == ["equal", "stake", "ridge", "best_single"]


def test_the_overlap_is_counted_from_the_rounds_times(done: study.Study) -> None:
    assert done.overlap == 5  # four weeks and three days


def test_weights_are_written_for_the_models_of_each_round_alone(
    archive: Archive, done: study.Study, tmp_path: Path
) -> None:
    study.write_weights(done, tmp_path / "weights")

    for name in done.runs:
        frame = pd.read_parquet(tmp_path / "weights" / f"{name}.parquet")
        assert list(frame.columns) == ["round", "model", "weight"]
        assert (frame["weight"] >= 0).all()
        np.testing.assert_allclose(frame.groupby("round")["weight"].sum(), 1.0, rtol=0, atol=1e-9)
        by_round = frame.groupby("round")["model"].agg(set).to_dict()
        assert by_round == {one.number: set(one.models) for one in archive.rounds() if one.number > 12}


def test_the_same_study_again_gives_the_same_weights(archive: Archive, done: study.Study) -> None:
    again = study.run(archive, CONFIG)

    for name, run in done.runs.items():
        np.testing.assert_array_equal(again.runs[name].weights_RM, run.weights_RM)


def test_progress_is_told_once_for_each_round_and_selector(archive: Archive) -> None:
    told: list[int] = []

    study.run(archive, replace(CONFIG, selectors=("stake",)), tell=told.append)

    assert told == [*range(12, 40)] * 2


def test_a_study_that_cannot_be_run_is_refused_with_every_reason(archive: Archive) -> None:
    with pytest.raises(BadConfig) as caught:
        study.run(
            archive, study.StudyConfig(("ridge", "oracle"), warmup_rounds=40, retrain_every=0, trials_elsewhere=-1)
        )

    lines = str(caught.value).splitlines()
    assert lines[0].startswith("there is no selector 'oracle'; known: equal, stake, ")
    assert lines[1:] == [
        "warm-up of 40 rounds in an archive of 40; leave at least one round to weigh",
        "retraining every 0 rounds; give 1 or more",
        "-1 trials made elsewhere; give 0 or more",
    ]


def test_a_study_with_nothing_to_score_is_refused_before_anything_is_led(archive: Archive) -> None:
    told: list[int] = []

    with pytest.raises(BadConfig, match="fewer than two rounds after the first 38 have a known target"):
        study.run(archive, replace(CONFIG, warmup_rounds=38), tell=told.append)

    assert told == []


def test_no_selector_at_all_is_refused(archive: Archive) -> None:
    with pytest.raises(BadConfig, match="no selector is named"):
        study.run(archive, replace(CONFIG, selectors=()))
