"""Tables from and to files, by the file's ending: Parquet or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from tournament.errors import BadInput, Fault, counted

ENDINGS = (".parquet", ".csv")
TEXT_COLUMNS = {"id", "era", "ticker", "symbol", "sector", "model"}


def read_table(path: Path, *, needs: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table and see that it has rows and the columns it needs. Raises BadInput with every fault."""
    _check_path(path)
    try:
        frame = pd.read_parquet(path) if _ending(path) == ".parquet" else _read_csv(path)
    except (ValueError, OSError) as error:
        first = (str(error).splitlines() or [repr(error)])[0][:160]
        raise BadInput(Fault("unreadable", f"{path.name} cannot be read: {first}", "write it again")) from None
    found = ", ".join(map(str, frame.columns[:12]))
    faults = [
        Fault("no_column", f"{path.name} has no column '{name}'; found: {found}", f"add '{name}'")
        for name in needs
        if name not in frame
    ]
    if not len(frame):
        faults.append(Fault("empty", f"{path.name} has no rows", "give at least one row"))
    if faults:
        raise BadInput(faults)
    return frame


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet or CSV by the ending, whole or not at all. Raises BadInput."""
    check_ending(path)
    if not path.parent.is_dir():
        raise BadInput(Fault("no_folder", f"there is no folder {path.parent}", "make it first"))
    part = path.with_name(path.name + ".part")
    if _ending(path) == ".parquet":
        frame.to_parquet(part, index=False)
    else:
        frame.to_csv(part, index=False)
    part.replace(path)


def check_ending(path: Path) -> None:
    """Refuse a file that is neither Parquet nor CSV by its name. Raises BadInput."""
    if _ending(path) not in ENDINGS:
        raise BadInput(Fault("ending", f"{path.name} ends in '{path.suffix}'", f"expected {' or '.join(ENDINGS)}"))


def as_dates(column: pd.Series) -> pd.Series:
    """Dates of a column in ISO 8601 (or of a date type already); NaT where it is none."""
    if is_datetime64_any_dtype(column):
        return column
    return pd.to_datetime(column.astype(str), format="ISO8601", errors="coerce")


def not_numbers(frame: pd.DataFrame, columns: Sequence[str], name: str) -> list[Fault]:
    """A fault for each column that does not hold numbers."""
    return [
        Fault("not_numeric", f"{name}: column '{column}' holds {frame[column].dtype}, not numbers", "give numbers")
        for column in columns
        if not is_numeric_dtype(frame[column])
    ]


def repeated(frame: pd.DataFrame, keys: Sequence[str], name: str) -> list[Fault]:
    """A fault when rows repeat their keys."""
    again = frame.duplicated(list(keys))
    if not again.any():
        return []
    examples = tuple(" ".join(map(str, row)) for row in frame.loc[again, list(keys)].head(3).to_numpy())
    found = f"{name}: {counted(int(again.sum()), 'row repeats', 'rows repeat')} {' and '.join(keys)}"
    return [Fault("repeated", found, "keep one each", examples)]


def without(frame: pd.DataFrame, key: str, name: str) -> list[Fault]:
    """A fault when rows have nothing in a key."""
    places = np.flatnonzero(frame[key].isna() | (frame[key].astype(str).str.strip() == ""))
    if not len(places):
        return []
    found = f"{name}: {counted(len(places), 'row has', 'rows have')} no {key}"
    return [Fault(f"empty_{key}", found, "give every row one", tuple(f"row {place + 1}" for place in places[:3]))]


def strangers(frame: pd.DataFrame, name: str, *, days: np.ndarray, ids: Sequence[str], of: str) -> list[Fault]:
    """Faults of a table of signals (date, id) held against the trading days and ids `of` what it is to be traded on."""
    faults, dates = [], frame["date"].to_numpy("datetime64[D]")
    strange = np.unique(dates[~np.isin(dates, days)]).astype(str)
    if len(strange):
        message = f"{name}: {counted(len(strange), 'date is', 'dates are')} no trading day of {of}"
        hint = "date each signal by the close at which it was known"
        faults.append(Fault("no_trading_day", message, hint, tuple(strange[:3])))
    if not frame["id"].isin(ids).any():
        examples = tuple(frame["id"].head(3))
        faults.append(Fault("no_common_id", f"{name}: no id is among those of {of}", "name assets alike", examples))
    return faults


def _check_path(path: Path) -> None:
    if not path.is_file():
        raise BadInput(Fault("no_file", f"there is no file {path}", "give the path of a Parquet or CSV file"))
    check_ending(path)


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _read_csv(path: Path) -> pd.DataFrame:
    """Words stay words: an id 'NA' is an id, and an era '0001' keeps its zeros."""
    columns = [str(name) for name in pd.read_csv(path, nrows=1, header=None, dtype=str, na_filter=False).iloc[0]]
    again = sorted({name for name in columns if columns.count(name) > 1})
    if again:
        raise ValueError(f"its columns repeat a name ({', '.join(again[:3])}); name each column once")
    words = [name for name in columns if name in TEXT_COLUMNS]
    empty = {name: [""] if name in words else ["", "NA", "NaN", "nan", "null", "None"] for name in columns}
    return pd.read_csv(path, dtype=dict.fromkeys(words, "str"), na_values=empty, keep_default_na=False)
