"""What a valid submission is; every fault of a file is found, not just the first."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from tournament.errors import BadPredictions, Fault

SHOWN = 3
"""How many examples a fault names."""
MAX_BYTES = 20_000_000
VALUE_COLUMNS = ("prediction", "probability")
MIN_SPREAD = 1e-8
"""Predictions with a smaller standard deviation count as constant (numerai-tools 0.7, submissions.py)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission after the check: values in the order of the universe (float32, N), or every fault."""

    values: NDArray[np.float32] | None
    faults: tuple[Fault, ...]
    rows: int

    @property
    def is_valid(self) -> bool:
        """Whether the file may be accepted."""
        return not self.faults


def check(data: bytes, filename: str, universe: Sequence[str], *, max_bytes: int = MAX_BYTES) -> Checked:
    """Read a CSV or Parquet file and hold it against the universe of the round.

    The file must have a column `id` and a column `prediction` (or `probability`), one row for each id of the
    universe, with values from 0 to 1 that are not all the same.
    """
    try:
        table = read(data, filename, max_bytes=max_bytes)
    except BadPredictions as refusal:
        return Checked(None, refusal.faults, 0)
    faults = list(_column_faults(table))
    if faults:
        return Checked(None, tuple(faults), table.num_rows)
    ids, values, faults = _columns(table)
    places, id_faults = _places(ids, universe)
    faults += [*id_faults, *_value_faults(values, ids)]
    if faults:
        return Checked(None, tuple(faults), table.num_rows)
    aligned = np.empty(len(universe), dtype=np.float32)
    aligned[places] = values
    return Checked(aligned, (), table.num_rows)


def read(data: bytes, filename: str, *, max_bytes: int = MAX_BYTES) -> pa.Table:
    """The table in a file; Parquet is known by its first bytes, everything else must be CSV. Raises BadPredictions."""
    if not data:
        raise BadPredictions(Fault("empty_file", f"{filename} is empty", "send a CSV or Parquet file"))
    if len(data) > max_bytes:
        message = f"{filename} has {len(data):,} bytes; at most {max_bytes:,} are taken"
        raise BadPredictions(Fault("too_large", message, "send only the columns id and prediction"))
    return _read_parquet(data, filename) if data[:4] == b"PAR1" else _read_csv(data, filename)


def _read_parquet(data: bytes, filename: str) -> pa.Table:
    try:
        return pa.parquet.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"{filename} begins like Parquet but cannot be read: {_first_line(error)}"
        raise BadPredictions(Fault("broken_parquet", message, "write it again, for example with to_parquet")) from None


def _read_csv(data: bytes, filename: str) -> pa.Table:
    foreign = {b"PK\x03\x04": "a ZIP or Excel file", b"\x1f\x8b": "a gzip file", b"\x80\x04": "a pickle"}
    for start, kind in foreign.items():
        if data.startswith(start):
            raise BadPredictions(Fault("wrong_format", f"{filename} is {kind}", "send plain CSV or Parquet"))
    if b"\x00" in data[:4096]:
        raise BadPredictions(Fault("wrong_format", f"{filename} is not text", "send CSV in UTF-8, or Parquet"))
    options = pa.csv.ConvertOptions(column_types={"id": pa.string()}, strings_can_be_null=True, null_values=["", "NA"])
    try:
        return pa.csv.read_csv(io.BytesIO(data), convert_options=options)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        message = f"{filename} cannot be read as CSV: {_first_line(error)}"
        raise BadPredictions(Fault("broken_csv", message, "send lines 'id,prediction' in UTF-8")) from None


def _column_faults(table: pa.Table) -> Iterable[Fault]:
    names = table.column_names
    if len(set(names)) < len(names):
        yield Fault("repeated_column", f"columns {names} repeat a name", "name each column once")
    if "id" not in names:
        yield Fault("no_id", f"there is no column 'id' among {names[:8]}", "name the column of ids 'id'")
    found = [name for name in VALUE_COLUMNS if name in names]
    if len(found) != 1:
        yield Fault("no_prediction", f"found {found or names[:8]}; expected one column 'prediction'")
    extra = [name for name in names if name not in {"id", *VALUE_COLUMNS}]
    if extra:
        yield Fault("extra_column", f"columns {extra[:8]} are not expected", "send only id and prediction")
    if table.num_rows == 0:
        yield Fault("no_rows", "the file has a header but no rows", "send one row for each id of the live file")


def _columns(table: pa.Table) -> tuple[list[str | None], NDArray[np.float64], list[Fault]]:
    """Ids as text, values as floats (NaN where they are none), and the faults met on the way."""
    ids = pc.cast(table["id"], pa.string(), safe=False).to_pylist()
    column = table[next(name for name in VALUE_COLUMNS if name in table.column_names)].combine_chunks()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return ids, column.cast(pa.float64()).to_numpy(zero_copy_only=False), []
    texts = [str(value) for value in column.to_pylist()]
    values, wrong = np.full(len(texts), np.nan), []
    for row, text in enumerate(texts):
        try:
            values[row] = float(text)
        except ValueError:
            wrong.append(row)
    shown = tuple(f"row {row + 1}: {texts[row]!r}" for row in wrong[:SHOWN])
    message = f"{len(wrong)} values are not numbers" if wrong else f"the values are of type {column.type}"
    return ids, values, [Fault("not_numeric", message, "write numbers with a decimal point", shown)]


def _places(ids: list[str | None], universe: Sequence[str]) -> tuple[NDArray[np.intp], list[Fault]]:
    """Place of each row's id in the universe, or why some have none."""
    if list(ids) == list(universe):
        return np.arange(len(universe)), []
    place_of = {name: place for place, name in enumerate(universe)}
    places = np.array([place_of.get(name, -1) if name is not None else -2 for name in ids], dtype=np.intp)
    counts = np.bincount(places[places >= 0], minlength=len(universe))
    empty, unknown = np.flatnonzero(places == -2), np.flatnonzero(places == -1)
    repeated, missing = np.flatnonzero(counts > 1), np.flatnonzero(counts == 0)
    faults = []
    if empty.size:
        faults.append(
            Fault("empty_id", f"{empty.size} rows have no id", "", tuple(f"row {r + 1}" for r in empty[:SHOWN]))
        )
    if unknown.size:
        shown = tuple(f"row {row + 1}: {ids[row]}" for row in unknown[:SHOWN])
        message = f"{unknown.size} of {len(ids)} ids are not in this round's universe"
        faults.append(Fault("unknown_id", message, "take the ids from this round's live file", shown))
    if repeated.size:
        shown = tuple(universe[place] for place in repeated[:SHOWN])
        faults.append(Fault("repeated_id", f"{repeated.size} ids appear more than once", "send each id once", shown))
    if missing.size:
        shown = tuple(universe[place] for place in missing[:SHOWN])
        message = f"{missing.size} of {len(universe)} ids are missing"
        faults.append(Fault("missing_id", message, "send one row for each id of the live file", shown))
    return places, faults


def _value_faults(values: NDArray[np.float64], ids: list[str | None]) -> Iterable[Fault]:
    """Missing, infinite and out-of-range values; a file without any spread."""

    def examples(rows: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(f"row {row + 1}, id {ids[row]}: {values[row]:g}" for row in np.flatnonzero(rows)[:SHOWN])

    missing, infinite = np.isnan(values), np.isinf(values)
    outside = ~missing & ~infinite & ((values < 0) | (values > 1))
    if missing.any():
        yield Fault("missing_value", f"{missing.sum()} predictions are missing", "predict every id", examples(missing))
    if infinite.any():
        yield Fault(
            "infinite_value", f"{infinite.sum()} predictions are infinite", "send finite values", examples(infinite)
        )
    if outside.any():
        hint = "rank the predictions and divide by their number"
        yield Fault("out_of_range", f"{outside.sum()} predictions lie outside 0 to 1", hint, examples(outside))
    finite = values[np.isfinite(values)]
    if finite.size and finite.std() <= MIN_SPREAD:
        yield Fault("constant", f"all predictions are {finite[0]:g}", "a constant cannot rank anything; send a ranking")


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
