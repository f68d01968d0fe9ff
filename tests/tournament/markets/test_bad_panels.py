"""Each kind of bad price panel gets a message of its own that names what was found and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tournament.markets.panels import long_table
from tournament.errors import BadPanel
from tournament.markets.panel import read_prices
from tournament.markets.quality import inspect
from tournament.rules import Rules

Spoil = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: str, value: object, rows: int = 1) -> Spoil:
    """Another value in the first rows of a column."""

    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame[column] = frame[column].astype(object) if column in frame else 1.0
        frame.loc[frame.index[:rows], column] = value
        return frame

    return spoil


UNREADABLE: dict[str, tuple[Spoil, str]] = {
    "no id": (lambda f: f.drop(columns="id"), "no column of ids among .*name it 'id'"),
    "no date": (lambda f: f.drop(columns="date"), "no column 'date' among .*add 'date'"),
    "no close": (lambda f: f.rename(columns={"close": "price"}), "no column 'close' among .*price"),
    "no rows": (lambda f: f.head(0), "has no rows"),
    "a date that is none": (put("date", "soon"), r"1 rows have no readable date .*\(row 1\)"),
    "a missing date": (put("date", None, rows=3), "3 rows have no readable date"),
    "an empty id": (put("id", None), "1 rows have no id"),
    "a repeated row": (lambda f: pd.concat([f, f.head(2)]), "2 rows repeat an id and date"),
    "a word for a price": (put("close", "n/a?"), "1 closes are not numbers"),
    "a price of zero": (put("close", 0.0, rows=2), r"2 closes are not above zero \(row 1, row 2\)"),
    "a negative price": (put("close", -3.0), "1 closes are not above zero"),
    "an infinite price": (put("close", np.inf), "close is infinite in 1 rows"),
    "a word for a volume": (put("volume", "many"), "volume is no number in 1 rows"),
    "a negative volume": (put("volume", -5.0), "volume is below zero in 1 rows"),
    "a negative open": (put("open", -5.0), "open is below zero in 1 rows"),
    "a factor of zero": (put("adj_factor", 0.0), "adj_factor is zero or missing in 1 rows"),
    "a missing factor": (put("adj_factor", None), "adj_factor is zero or missing in 1 rows"),
    "an infinite factor": (put("adj_factor", np.inf), "adj_factor is infinite in 1 rows"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_bad_table_is_refused(kind: str, tmp_path: Path) -> None:
    spoil, message = UNREADABLE[kind]
    spoil(long_table()).to_csv(tmp_path / "prices.csv", index=False)

    with pytest.raises(BadPanel, match=message):
        read_prices(tmp_path / "prices.csv")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    frame = put("volume", "many")(put("close", -1.0)(put("id", None)(long_table())))
    frame.to_csv(tmp_path / "prices.csv", index=False)

    with pytest.raises(BadPanel) as caught:
        read_prices(tmp_path / "prices.csv")

    assert {fault.code for fault in caught.value.faults} == {"empty_id", "not_positive", "not_numeric"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "there is no file"),
        ("prices.xlsx", b"x", "ends in '.xlsx'; expected .parquet or .csv"),
        ("prices.parquet", b"not parquet", "prices.parquet cannot be read"),
        ("prices.csv", b"", "prices.csv cannot be read"),
        ("prices.csv", b"\xff\xfe\x00bad", "prices.csv cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(BadPanel, match=message):
        read_prices(tmp_path / name)


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.pivot(index="date", columns="id", values="close")


def jump(frame: pd.DataFrame, ratio: float, *, days: int) -> pd.DataFrame:
    """Every asset's price times `ratio` from day 100 on, for so many days."""
    rows = frame.groupby("id").cumcount().between(100, 100 + days - 1)
    frame.loc[rows, "close"] *= ratio
    return frame


def still(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame.groupby("id").cumcount().between(50, 70), "close"] = 33.0
    return frame


def with_gap(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~((frame["id"] == "A01") & frame["date"].between("2015-06-01", "2015-07-10"))]


def crossed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(high=frame["close"] * 0.5, low=frame["close"] * 0.4)


QUALITY: dict[str, tuple[pd.DataFrame, str, str]] = {
    "short_history": (long_table(days=200), "refuse", "200 dates; 622 are needed before the first round"),
    "few_assets": (long_table(assets=6), "refuse", "6 assets; a cross-section needs at least 10"),
    "no_moves": (long_table().assign(close=100.0), "refuse", "0 of 12 assets have a price that ever moves"),
    "gaps": (with_gap(long_table()), "flag", "1 gaps of 10 days or more"),
    "stale": (still(long_table()), "flag", "12 times a price stood still"),
    "split": (jump(long_table(), 0.5, days=600), "refuse", "12 jumps by a split's ratio"),
    "reversed_jump": (jump(long_table(), 2.6, days=2), "refuse", "jumps that reverse within a week"),
    "outlier": (jump(long_table(), 2.6, days=600), "refuse", "12 daily moves beyond 60%"),
    "crossed_range": (crossed(long_table()), "flag", "closes lie outside their day's low and high"),
    "survivorship": (long_table(days=1300), "flag", "the panel likely holds survivors only"),
}


@pytest.mark.parametrize("code", QUALITY)
def test_a_doubtful_panel_is_refused_or_flagged(code: str, tmp_path: Path) -> None:
    frame, severity, message = QUALITY[code]
    frame.to_parquet(tmp_path / "prices.parquet")

    report = inspect(read_prices(tmp_path / "prices.parquet"))

    found = {finding.code: finding for finding in report.findings}
    assert message in found[code].message
    assert found[code].severity == severity


def test_a_sound_panel_has_nothing_to_say(tmp_path: Path) -> None:
    long_table().to_parquet(tmp_path / "prices.parquet")

    assert inspect(read_prices(tmp_path / "prices.parquet")).findings == ()


def test_fewer_dates_are_needed_where_eras_follow_each_other_faster(tmp_path: Path) -> None:
    long_table(days=560).to_parquet(tmp_path / "prices.parquet")
    panel = read_prices(tmp_path / "prices.parquet")

    found = [inspect(panel, rules).refusals for rules in (Rules(), Rules(cadence_days=1))]

    assert [len(refusals) for refusals in found] == [1, 0]


def test_an_asset_called_NA_is_an_asset(tmp_path: Path) -> None:
    frame = long_table()
    frame["id"] = frame["id"].replace("A03", "NA")
    frame.to_csv(tmp_path / "prices.csv", index=False)

    panel = read_prices(tmp_path / "prices.csv")

    assert "NA" in panel.ids
    assert np.isfinite(panel.close_DN).all()
