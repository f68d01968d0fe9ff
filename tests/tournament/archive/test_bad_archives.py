"""Every kind of bad archive is refused with a message that says where, what and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tournament import archives
from tests.tournament.archives import change
from tournament.archive import read_archive
from tournament.errors import BadArchive

Spoil = Callable[[Path], object]
ONE, ROUNDS, CONTEXT, STAKES = "predictions/00001.parquet", "rounds.parquet", "context.parquet", "stakes.parquet"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return archives.write(tmp_path / "archive")


def toml(old: str, new: str) -> Spoil:
    return lambda folder: (folder / "archive.toml").write_text((folder / "archive.toml").read_text().replace(old, new))


def edit(name: str, how: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    return lambda folder: change(folder / name, how)


def put(name: str, row: int, column: str, value: object) -> Spoil:
    def how(frame: pd.DataFrame) -> pd.DataFrame:
        values = list(frame[column])
        values[row] = value
        return frame.assign(**{column: values})

    return edit(name, how)


def without(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def drop(name: str, column: str) -> Spoil:
    return edit(name, lambda frame: frame.drop(columns=column))


def fill(name: str, column: str, value: object) -> Spoil:
    return edit(name, lambda frame: frame.assign(**{column: value}))


def first_again(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame[:1]])


def column_twice(folder: Path) -> None:
    table = pq.read_table(folder / ONE)
    pq.write_table(table.append_column("anchor", pa.array(np.zeros(len(table)))), folder / ONE)


def ids_as_fractions(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(id=np.arange(len(frame)) + 0.5)


def swapped(folder: Path) -> None:
    """Rounds 2 and 3 change their numbers, with their contexts."""
    for name in (ROUNDS, CONTEXT):
        change(folder / name, lambda frame: frame.assign(round=frame["round"].replace({2: 3, 3: 2})))


KINDS: list[tuple[str, Spoil, str]] = [
    ("missing_file", without("archive.toml"), "archive.toml is missing; it names the archive and its format"),
    ("not_toml", toml("format = 1", "format: 1"), "archive.toml cannot be read: "),
    ("missing_key", toml("cadence = ", "rhythm = "), "archive.toml has no cadence; expected keys: name, horizon_days"),
    ("key_type", toml("horizon_days = 20", "horizon_days = 'a month'"), "horizon_days is 'a month'; give a int"),
    ("unknown_format", toml("format = 1", "format = 2"), "archive.toml: format is 2; this reads 1"),
    ("horizon", toml("horizon_days = 20", "horizon_days = 0"), "horizon_days is 0; at least 1"),
    ("missing_file", without(ROUNDS), "rounds.parquet is missing"),
    ("missing_column", drop(ROUNDS, "closes_at"), "rounds.parquet has no column closes_at; expected columns: round,"),
    ("no_rounds", edit(ROUNDS, lambda frame: frame[:0]), "rounds.parquet has no rows; an archive has at least one"),
    ("round_number", fill(ROUNDS, "round", "first"), "round is not a whole number of 0 or more; write it as int32"),
    ("round_number", edit(ROUNDS, first_again), "rounds.parquet names rounds twice (1); one row a round"),
    ("not_a_time", fill(ROUNDS, "opens_at", "soon"), "opens_at holds values that are no time; UTC timestamps"),
    ("not_a_time", fill(ROUNDS, "opens_at", 3.0), "opens_at holds values that are no time; UTC timestamps"),
    ("time_order", put(ROUNDS, 2, "closes_at", pd.Timestamp("2019-01-01", tz="UTC")),
     "1 rounds where the round closes before it opens (3); opens_at must not be after closes_at"),
    ("round_order", swapped, "rounds open before a round of lower number (3); number rounds by opens_at"),
    ("missing_file", without(CONTEXT), "context.parquet is missing"),
    ("missing_round", edit(CONTEXT, lambda frame: frame[2:]), "context.parquet lacks 2 rounds (1, 2)"),
    ("duplicate", edit(CONTEXT, first_again), "context.parquet names rounds twice (1); one row a round"),
    ("not_number", fill(CONTEXT, "breadth", "wide"), "context.parquet: breadth is not a column of finite floats"),
    ("not_number", put(CONTEXT, 0, "breadth", np.inf), "context.parquet: breadth is not a column of finite floats"),
    ("not_a_time", fill(CONTEXT, "known_at", "later"), "known_at holds values that are no time; UTC timestamps"),
    ("look_ahead", put(CONTEXT, 3, "known_at", pd.Timestamp("2030-01-01", tz="UTC")),
     "1 rounds have a context known only after they opened (4); known_at must not be after opens_at"),
    ("unknown_round", put(STAKES, 0, "round", 77), "stakes.parquet names 1 rounds that rounds.parquet lacks (77)"),
    ("stake", put(STAKES, 0, "stake", -1.0), "1 stakes are missing, negative or not finite (anchor); give a number"),
    ("stake", put(STAKES, 1, "stake", np.nan), "1 stakes are missing, negative or not finite (buoy); give a number"),
    ("duplicate", edit(STAKES, first_again), "stakes.parquet names a model twice in a round (anchor); one row"),
    ("missing_file", without(ONE), "predictions/00001.parquet is missing"),
    ("not_parquet", lambda folder: (folder / ONE).write_text("id,anchor"), "00001.parquet is not a Parquet file: "),
    ("empty", edit(ONE, lambda frame: frame[["id"]]), "predictions/00001.parquet has 40 rows and 0 models; a round"),
    ("duplicate", column_twice, "predictions/00001.parquet names a column twice; name each column once"),
    ("not_number", fill(ONE, "buoy", "up"), "predictions/00001.parquet: 1 models are not floats (buoy); write float32"),
    ("null_prediction", put(ONE, 4, "buoy", np.nan), "1 models have null, NaN or infinite predictions (buoy); leave"),
    ("null_prediction", put(ONE, 4, "anchor", np.inf), "1 models have null, NaN or infinite predictions (anchor)"),
    ("model_name", edit(ONE, lambda frame: frame.rename(columns={"buoy": "a/../b"})),
     "1 models have names that are none (a/../b); up to 80 printable characters, without slashes"),
    ("model_name", edit(ONE, lambda frame: frame.rename(columns={"buoy": "buoy\x1b[2J"})), r"(buoy\x1b[2J)"),
    ("missing_column", drop(ONE, "id"), "predictions/00001.parquet has no column id; the first column names the asset"),
    ("null_id", put(ONE, 0, "id", None), "predictions/00001.parquet: ids are missing or fractional; give every row"),
    ("null_id", edit(ONE, ids_as_fractions), "predictions/00001.parquet: ids are missing or fractional"),
    ("duplicate_id", put(ONE, 0, "id", "n1_1"), "predictions/00001.parquet names 1 ids twice (n1_1); one row an id"),
    ("unknown_round", lambda folder: (folder / "targets/latest.parquet").write_bytes(b""),
     "targets/ holds 1 files of rounds that rounds.parquet lacks (latest.parquet); name them like 00001.parquet"),
    ("missing_column", drop("targets/00001.parquet", "target"), "targets/00001.parquet has no column target"),
    ("null_target", put("targets/00001.parquet", 0, "target", np.nan), "target holds values that are no finite float"),
    ("constant_target", fill("targets/00001.parquet", "target", 0.5), "every target is the same; nothing can be"),
    ("target_ids", edit("targets/00002.parquet", lambda frame: frame[:20]),
     "targets/00002.parquet covers 20 of the 40 predicted ids; at least 80% must have a target"),
    ("feature", fill("features/00001.parquet", "size", "big"), "1 features hold values that are no finite number"),
    ("feature", put("features/00001.parquet", 2, "size", np.nan), "no finite number (size); fill what is missing"),
    ("feature_ids", edit("features/00001.parquet", lambda frame: frame[3:]), "lacks 3 of the 40 predicted ids; give"),
    ("feature_names", drop("features/00001.parquet", "size"), "features/ hold 2 different sets of columns; give every"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "spoil", "message"), KINDS, ids=[f"{kind[0]}: {kind[2][:50]}" for kind in KINDS])
def test_a_bad_archive_is_refused(folder: Path, code: str, spoil: Spoil, message: str) -> None:
    spoil(folder)

    with pytest.raises(BadArchive) as caught:
        read_archive(folder)

    assert [fault.code for fault in caught.value.faults] == [code]
    assert message in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match=r"there is no archive folder .*nowhere; name a folder with archive.toml"):
        read_archive(tmp_path / "nowhere")


def test_every_fault_is_told_at_once(folder: Path) -> None:
    toml("format = 1", "format = 3")(folder)
    put(STAKES, 0, "stake", -1.0)(folder)
    put(ONE, 4, "buoy", np.nan)(folder)
    fill("targets/00003.parquet", "target", 0.5)(folder)

    with pytest.raises(BadArchive) as caught:
        read_archive(folder)

    codes = [fault.code for fault in caught.value.faults]
    assert codes == ["unknown_format", "stake", "null_prediction", "constant_target"]


def test_an_archive_without_stakes_features_and_targets_is_whole(folder: Path) -> None:
    for path in [folder / STAKES, *(folder / "features").iterdir(), *(folder / "targets").iterdir()]:
        path.unlink()

    archive = read_archive(folder)

    assert archive.stakes_RM.sum() == 0
    assert [one.target_N for one in archive.rounds()] == [None] * 6


def test_rounds_may_be_stored_in_any_order(folder: Path) -> None:
    edit(ROUNDS, lambda frame: frame[::-1])(folder)
    edit(CONTEXT, lambda frame: frame.sample(frac=1.0, random_state=1))(folder)

    assert read_archive(folder).rounds_R.tolist() == [1, 2, 3, 4, 5, 6]
