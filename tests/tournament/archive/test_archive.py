"""What is written is read back, and gives selectors the history that the rounds hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.tournament import archives
from tournament.archive import (
    About,
    ArchivedRound,
    history_from_archive,
    history_from_rounds,
    read_archive,
    write_archive,
)
from tournament.errors import BadArchive
from tournament.scoring.blend import linear_scores, model_correlations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return archives.write(tmp_path / "archive")


def test_every_round_is_read_back(folder: Path) -> None:
    archive = read_archive(folder)

    for one, back in zip(archives.rounds(), archive.rounds(), strict=True):
        assert (back.number, back.ids, back.models) == (one.number, one.ids, one.models)
        assert (back.opens_at, back.closes_at, back.resolves_at) == (one.opens_at, one.closes_at, one.resolves_at)
        np.testing.assert_array_equal(back.predictions_NM, one.predictions_NM)
        np.testing.assert_array_equal(back.target_or_nan(), one.target_or_nan())
        np.testing.assert_array_equal(back.context_K, one.context_K)
        assert back.stakes == one.stakes


def test_what_an_archive_says_of_itself_is_read_back(tmp_path: Path) -> None:
    about = About('Seas "of old" \\ new', 5, "daily", "target", "2024-01-05")
    names = {"context_names": archives.CONTEXT, "feature_names": archives.FEATURES}
    write_archive(tmp_path / "archive", about, archives.rounds(), **names)

    assert read_archive(tmp_path / "archive").about == about


def test_models_are_all_that_ever_submitted(folder: Path) -> None:
    archive = read_archive(folder)

    assert (len(archive), archive.models, archive.context_names) == (6, archives.MODELS, archives.CONTEXT)


def test_features_are_read_back(folder: Path) -> None:
    found = read_archive(folder).features(2)

    assert found is not None
    np.testing.assert_array_equal(found[list(archives.FEATURES)], archives.rounds()[2].features_NF)


def test_panels_are_stored_as_the_contract_says(folder: Path) -> None:
    predictions = pq.read_schema(folder / "predictions/00003.parquet")
    rounds = pd.read_parquet(folder / "rounds.parquet")

    assert predictions.names == ["id", *archives.MODELS]
    assert {str(predictions.field(name).type) for name in archives.MODELS} == {"float"}
    assert rounds["round"].dtype == np.int32
    assert str(rounds["opens_at"].dt.tz) == "UTC"
    assert len(list((folder / "targets").iterdir())) == 4


def test_times_without_a_zone_are_utc(folder: Path) -> None:
    before = read_archive(folder).opens_at_R
    archives.change(
        folder / "rounds.parquet", lambda frame: frame.assign(opens_at=frame["opens_at"].dt.tz_localize(None))
    )

    np.testing.assert_array_equal(read_archive(folder).opens_at_R, before)


def test_times_of_another_zone_are_turned_to_utc(folder: Path) -> None:
    before = read_archive(folder).closes_at_R
    archives.change(
        folder / "rounds.parquet", lambda frame: frame.assign(closes_at=frame["closes_at"].dt.tz_convert("Asia/Tokyo"))
    )

    np.testing.assert_array_equal(read_archive(folder).closes_at_R, before)


def test_stakes_of_a_model_that_never_submitted_weigh_nothing(folder: Path) -> None:
    archives.change(folder / "stakes.parquet", lambda frame: frame.replace({"buoy": "ghost"}))

    archive = read_archive(folder)

    assert archive.models == archives.MODELS
    np.testing.assert_array_equal(archive.stakes_RM, np.tile([10.5, 0.0, 0.0], (6, 1)))


def test_an_archive_is_never_written_over_files(folder: Path) -> None:
    with pytest.raises(BadArchive, match="already holds files; name a new or empty folder"):
        archives.write(folder)


def test_panels_must_fit_their_ids_and_models() -> None:
    one = archives.rounds()[0]

    with pytest.raises(BadArchive, match=r"round 1: predictions are \(40, 2\), expected 39 ids x 2 models"):
        ArchivedRound(
            one.number, one.opens_at, one.closes_at, one.resolves_at, one.ids[1:], one.models, one.predictions_NM,
            one.target_N, one.context_K, one.context_known_at,
        )  # fmt: skip


def test_a_history_holds_scores_and_likeness_of_every_round(folder: Path) -> None:
    history = history_from_archive(read_archive(folder))

    one = archives.rounds()[3]
    np.testing.assert_allclose(history.scores_RM[3], linear_scores(one.predictions_NM, one.target_or_nan()))
    expected = model_correlations(one.predictions_NM)
    np.testing.assert_allclose(history.correlations_RMM[3], expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(history.stakes_RM[3], [10.5, 4.0, 0.0])


def test_a_history_has_gaps_where_a_model_was_away_or_a_target_is_not_known(folder: Path) -> None:
    history = history_from_archive(read_archive(folder))

    np.testing.assert_array_equal(history.active_RM[:, 2], [False, False, True, True, True, True])
    np.testing.assert_array_equal(np.isfinite(history.scores_RM), history.active_RM & (np.arange(6) < 4)[:, None])
    assert np.isnan(history.correlations_RMM[0, 2]).all()
    assert history.resolves_at_R[0] == archives.rounds()[0].resolves_at


def test_a_history_is_the_same_from_rounds_and_from_their_archive(folder: Path) -> None:
    read = history_from_archive(read_archive(folder))

    straight = history_from_rounds(archives.rounds(), archives.CONTEXT, archives.MODELS)

    for name in ("scores_RM", "correlations_RMM", "context_RK", "stakes_RM", "active_RM", "opens_at_R"):
        np.testing.assert_array_equal(getattr(read, name), getattr(straight, name), err_msg=name)


def test_a_round_with_too_few_targets_is_not_scored(tmp_path: Path) -> None:
    rounds = archives.rounds()
    target = rounds[0].target_or_nan().copy()
    target[:20] = np.nan
    few = ArchivedRound(
        1, rounds[0].opens_at, rounds[0].closes_at, rounds[0].resolves_at, rounds[0].ids, rounds[0].models,
        rounds[0].predictions_NM, target, rounds[0].context_K, rounds[0].opens_at,
    )  # fmt: skip

    history = history_from_rounds([few, *rounds[1:]], archives.CONTEXT, archives.MODELS)

    assert np.isnan(history.scores_RM[0]).all()
