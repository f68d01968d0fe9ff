"""Archived tournaments as signals of a book: blended by a selector's weights, known when their rounds closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tournament.archives import write
from tournament.archive import read_archive
from tournament.errors import BadConfig, BadInput
from tournament.portfolio.multi_asset.config import BookConfig, MarketFiles, TournamentFiles
from tournament.portfolio.multi_asset.inputs import read_inputs
from tournament.portfolio.multi_asset.meta_models import at_next_close, meta_model_signals
from tournament.scoring.blend import blend


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "archive")
    days = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-04-01"))
    days = days[np.is_busday(days)]
    names = [f"n{number}_{row}" for number in range(1, 7) for row in range(3)]
    rows = [(day, name, 10.0 + place) for place, day in enumerate(days) for name in names]
    pd.DataFrame(rows, columns=["date", "id", "close"]).to_parquet(tmp_path / "prices.parquet")
    return tmp_path


def test_models_weigh_alike_without_weights(folder: Path) -> None:
    archive, frame = read_archive(folder / "archive"), meta_model_signals(folder / "archive", None)
    _, models, predictions = archive.predictions(3)

    fourth = frame[frame["id"].str.startswith("n4_")]
    assert fourth["signal"].to_numpy() == pytest.approx(blend(predictions, np.ones(len(models))))
    assert set(fourth["date"]) == {pd.Timestamp("2020-02-02")}


def test_a_selectors_weights_blend_the_rounds_that_they_have(folder: Path) -> None:
    table = pd.DataFrame({"round": [4, 4, 5], "model": ["anchor", "compass", "buoy"], "weight": [0.25, 0.75, 1.0]})
    table.to_parquet(folder / "boa.parquet")
    frame = meta_model_signals(folder / "archive", folder / "boa.parquet")
    _, _, predictions = read_archive(folder / "archive").predictions(3)

    assert set(frame["id"].str[:3]) == {"n4_", "n5_"}
    expected = blend(predictions, np.array([0.25, 0.0, 0.75]))
    assert frame[frame["id"].str.startswith("n4_")]["signal"].to_numpy() == pytest.approx(expected)


def test_a_round_that_closes_on_a_sunday_is_known_on_monday(folder: Path) -> None:
    config = BookConfig(
        markets=(MarketFiles(name="stocks", prices="prices.parquet", group="stocks"),),
        tournaments=(TournamentFiles(name="seas", archive="archive"),),
    )

    given = read_inputs(config, folder)

    known = np.isfinite(given.signals[0].signal_TN)
    dates = given.panel.dates_T[known.any(axis=1)]
    assert dates[0] == np.datetime64("2020-01-13")
    assert known.sum() == 18


def test_signals_after_the_last_day_are_left_out_and_the_later_of_two_rounds_counts() -> None:
    dates = pd.to_datetime(["2020-01-04", "2020-01-05", "2020-02-01"])
    frame = pd.DataFrame({"date": dates, "id": "a", "signal": [1, 2, 3]})
    days = np.array(["2020-01-03", "2020-01-06"], "datetime64[D]")

    assert at_next_close(frame, days)["signal"].tolist() == [2]


def test_faults_of_archive_and_weights_are_told_together(folder: Path) -> None:
    (folder / "archive/rounds.parquet").unlink()
    pd.DataFrame({"round": [1], "model": ["anchor"], "weight": [-1.0]}).to_parquet(folder / "boa.parquet")

    with pytest.raises(BadInput) as caught:
        meta_model_signals(folder / "archive", folder / "boa.parquet")

    assert "rounds.parquet" in str(caught.value)
    assert "1 weight is not a number of zero or more" in str(caught.value)


def test_weights_of_another_archive_are_refused(folder: Path) -> None:
    pd.DataFrame({"round": [99], "model": ["anchor"], "weight": [1.0]}).to_parquet(folder / "boa.parquet")

    with pytest.raises(BadInput, match="has no round of"):
        meta_model_signals(folder / "archive", folder / "boa.parquet")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"signals": "a", "archive": "b"}, "both signals and archive"), ({}, "neither signals nor archive"),
        ({"signals": "a", "weights": "b"}, "weights but no archive"),
    ],
)  # fmt: skip
def test_a_tournament_has_signals_or_an_archive(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        TournamentFiles(name="one", **given)
