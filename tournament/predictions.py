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

from tournament.errors import BadPredictions, Fault, counted

SHOWN = 3
"""How many examples a fault names."""
MAX_BYTES = 20_000_000
VALUE_COLUMNS = ("prediction", "probability", "signal")
ID_COLUMNS = ("id", "numerai_ticker", "ticker", "symbol")
"""Names under which the field's tournaments know ids; the first is ours."""
MAX_ROWS = 1_000_000
ROWS_PER_ID, SPARE_ROWS = 4, 1000
"""Rows of a file that are looked at, by the ids of its round: a wrong file is told what is wrong, a flood is not."""
MAX_ID_BYTES = 200
MIN_SPREAD = 1e-8
"""Predictions with a smaller standard deviation count as constant (numerai-tools 0.7, submissions.py)."""
KEPT_VALUES = 0.5
"""Share of the different values that must stay different as float32, in which they are stored and ranked."""


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

    The file must have a column `id` (or another of ID_COLUMNS) and a column `prediction` (or another of
    VALUE_COLUMNS), one row for each id of the universe, with values from 0 to 1 that are not all the same once they
    are stored as float32.
    """
    try:
        table = read(data, filename, max_bytes=max_bytes, max_rows=SPARE_ROWS + ROWS_PER_ID * len(universe))
        table = with_id(table)
    except BadPredictions as refusal:
        return Checked(None, refusal.faults, 0)
    faults = list(_column_faults(table))
    if faults:
        return Checked(None, tuple(faults), table.num_rows)
    ids, id_faults = _ids(table["id"])
    values, value_faults = _values(table[next(name for name in VALUE_COLUMNS if name in table.column_names)])
    places, place_faults = (np.empty(0, np.intp), []) if id_faults else _places(ids, universe)
    faults = [*id_faults, *value_faults, *place_faults, *_value_faults(values, ids)]
    if faults:
        return Checked(None, tuple(faults), table.num_rows)
    aligned = np.empty(len(universe), dtype=np.float32)
    aligned[places] = values
    return Checked(aligned, (), table.num_rows)


def read(data: bytes, filename: str, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> pa.Table:
    """The table in a file; Parquet is known by its first bytes, everything else must be CSV. Raises BadPredictions."""
    if not data:
        raise BadPredictions(Fault("empty_file", f"the file {filename} is empty", "send a CSV or Parquet file"))
    if len(data) > max_bytes:
        raise BadPredictions(too_large(len(data), max_bytes))
    if data[:4] == b"PAR1":
        return _read_parquet(data, filename, max_bytes, max_rows)
    table = _read_csv(data, filename)
    if table.num_rows > max_rows:
        raise BadPredictions(_too_many_rows(table.num_rows, max_rows))
    return table


def with_id(table: pa.Table) -> pa.Table:
    """The table with its ids named `id`, where exactly one column bears another of their names."""
    found = [name for name in table.column_names if name in ID_COLUMNS]
    if len(found) != 1 or found == ["id"]:
        return table
    return table.rename_columns(["id" if name == found[0] else name for name in table.column_names])


def too_large(size: int, max_bytes: int) -> Fault:
    """That a file has more bytes than its tournament takes."""
    message = f"the file has {size:,} bytes, the limit is {max_bytes:,}"
    return Fault("too_large", message, "send only the columns id and prediction, or Parquet")


def _too_many_rows(rows: int, max_rows: int) -> Fault:
    message = f"the file has {rows:,} rows; at most {max_rows:,} are read"
    return Fault("too_many_rows", message, "send one row for each id of the live file")


def _read_parquet(data: bytes, filename: str, max_bytes: int, max_rows: int) -> pa.Table:
    """The table; its footer is believed first, since a few bytes can stand for millions of rows."""
    try:
        footer = pa.parquet.read_metadata(io.BytesIO(data))
        if footer.num_rows > max_rows:
            raise BadPredictions(_too_many_rows(footer.num_rows, max_rows))
        unpacked = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
        if unpacked > max_bytes:
            raise BadPredictions(too_large(unpacked, max_bytes))
        # texts stay in their dictionary: one long text that every row repeats would not fit into memory
        # a few columns gain nothing by threads, and a process that ends before they do is aborted
        return pa.parquet.read_table(
            io.BytesIO(data), read_dictionary=[*ID_COLUMNS, *VALUE_COLUMNS], use_threads=False
        )  # fmt: skip
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"the file {filename} begins like Parquet but cannot be read: {_first_line(error)}"
        raise BadPredictions(Fault("broken_parquet", message, "write it again, for example with to_parquet")) from None


def _read_csv(data: bytes, filename: str) -> pa.Table:
    foreign = {b"PK\x03\x04": "a ZIP or Excel file", b"\x1f\x8b": "a gzip file", b"\x80\x04": "a pickle"}
    for start, kind in foreign.items():
        if data.startswith(start):
            raise BadPredictions(Fault("wrong_format", f"the file {filename} is {kind}", "send plain CSV or Parquet"))
    if (place := data.find(b"\x00")) >= 0:
        message = f"the file {filename} is not text: byte {place:,} is 0"
        raise BadPredictions(Fault("wrong_format", message, "send CSV in UTF-8, or Parquet"))
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(ID_COLUMNS, pa.string()), strings_can_be_null=True, null_values=["", "NA"]
    )
    try:
        return pa.csv.read_csv(io.BytesIO(data), convert_options=options)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        message = f"the file {filename} cannot be read as CSV: {_first_line(error)}"
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


def _ids(column: pa.ChunkedArray) -> tuple[list[str | None], list[Fault]]:
    """Ids as text (None where a row has none), or why they are none."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    try:
        if _longest_text(column) > MAX_ID_BYTES:
            raise ValueError(f"an id has more than {MAX_ID_BYTES} bytes")
        return pc.cast(column, pa.string()).to_pylist(), []
    except (pa.ArrowException, ValueError) as error:
        message = f"the ids of type {kind} cannot be read as text: {_first_line(error)}"
        return [None] * len(column), [Fault("id_type", message, "write the ids of the live file as text in UTF-8")]


def _values(column: pa.ChunkedArray) -> tuple[NDArray[np.float64], list[Fault]]:
    """Values as floats, NaN where they are none, and the faults met on the way."""
    kind, hint = column.type, "write numbers with a decimal point"
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        # unsafe: integers beyond 2**53 lose digits, and are refused as out of range
        return column.combine_chunks().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), []
    values: NDArray[np.float64] = np.full(len(column), np.nan)
    try:
        if _longest_text(column) > MAX_ID_BYTES:
            raise ValueError(f"a value has more than {MAX_ID_BYTES} bytes")
        texts = [str(value) for value in column.to_pylist()]
    except (pa.ArrowException, ValueError, OverflowError) as error:
        return values, [Fault("not_numeric", f"the values of type {kind} are not numbers: {_first_line(error)}", hint)]
    wrong = []
    for row, text in enumerate(texts):
        try:
            values[row] = float(text)
        except ValueError:
            wrong.append(row)
    shown = tuple(f"row {row + 1}: {texts[row]!r}" for row in wrong[:SHOWN])
    message = counted(len(wrong), "value is not a number", "values are not numbers")
    return values, [Fault("not_numeric", message if wrong else f"the values are of type {kind}", hint, shown)]


def _longest_text(column: pa.ChunkedArray) -> int:
    """Bytes of the longest text or bytes of a column; 0 for other types."""
    if pa.types.is_dictionary(column.type):
        return max((_longest_text(pa.chunked_array([chunk.dictionary])) for chunk in column.chunks), default=0)
    return pc.max(pc.binary_length(column)).as_py() or 0 if _is_text(column.type) else 0


def _is_text(kind: pa.DataType) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(kind) for check in checks)


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
        faults.append(Fault("empty_id", counted(empty.size, "row has no id", "rows have no id"), "", _rows(empty)))
    if unknown.size:
        shown = tuple(f"row {row + 1}: {ids[row]}" for row in unknown[:SHOWN])
        message = counted(unknown.size, "id is", "ids are", of=len(ids)) + " not in this round's universe"
        faults.append(Fault("unknown_id", message, "take the ids from this round's live file", shown))
    if repeated.size:
        shown = tuple(universe[place] for place in repeated[:SHOWN])
        faults.append(
            Fault(
                "repeated_id",
                f"{counted(repeated.size, 'id appears', 'ids appear')} more than once",
                "send each id once",
                shown,
            )
        )
    if missing.size:
        shown = tuple(universe[place] for place in missing[:SHOWN])
        message = counted(missing.size, "id is missing", "ids are missing", of=len(universe))
        faults.append(Fault("missing_id", message, "send one row for each id of the live file", shown))
    return places, faults


def _rows(places: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(f"row {place + 1}" for place in places[:SHOWN])


def _value_faults(values: NDArray[np.float64], ids: list[str | None]) -> Iterable[Fault]:
    """Missing, infinite and out-of-range values; a file without any spread."""

    def examples(rows: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(f"row {row + 1}, id {ids[row]}: {values[row]:g}" for row in np.flatnonzero(rows)[:SHOWN])

    missing, infinite = np.isnan(values), np.isinf(values)
    outside = ~missing & ~infinite & ((values < 0) | (values > 1))
    kinds = (
        ("missing_value", missing, "missing", "predict every id"),
        ("infinite_value", infinite, "infinite", "send finite values"),
        ("out_of_range", outside, "outside 0 to 1", "rank the predictions and divide by their number"),
    )
    for code, rows, what, hint in kinds:
        if rows.any():
            found = counted(int(rows.sum()), "prediction is", "predictions are")
            yield Fault(code, f"{found} {what}", hint, examples(rows))
    yield from _spread_faults(values[~missing & ~infinite & ~outside])


def _spread_faults(values: NDArray[np.float64]) -> Iterable[Fault]:
    """A file without any spread, or whose differences are lost in float32."""
    stored = values.astype(np.float32)
    if not values.size:
        return
    if values.std() <= MIN_SPREAD or stored.min() == stored.max():
        yield Fault("constant", f"all predictions are {values[0]:g}", "a constant cannot rank anything; send a ranking")
        return
    sent, kept = len(np.unique(values)), len(np.unique(stored))
    if kept < KEPT_VALUES * sent:
        message = f"predictions lie too close: {sent} different values are {kept} in the precision of float32"
        yield Fault("too_close", message, "spread them over 0 to 1, for example by their ranks")


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
