"""Price panels: dates x assets, read from long tables. Shape suffixes: D dates, N assets."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadInput, BadPanel, Fault
from tournament.tables import as_dates, read_table

Floats = NDArray[np.float64]
ID_COLUMNS = ("id", "ticker", "symbol")
VOLUME_COLUMNS = ("dollar_volume", "usd_volume", "volume")
PRICE_COLUMNS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class PricePanel:
    """Adjusted prices; NaN where an asset has none. `volume_DN` is in money (shares times close where needed)."""

    dates_D: NDArray[np.datetime64]
    ids: tuple[str, ...]
    close_DN: Floats
    open_DN: Floats | None = None
    high_DN: Floats | None = None
    low_DN: Floats | None = None
    volume_DN: Floats | None = None
    sectors: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet and dates out of order."""
        shape = (len(self.dates_D), len(self.ids))
        for name in ("close_DN", "open_DN", "high_DN", "low_DN", "volume_DN"):
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise BadPanel(Fault("shape", f"{name} is {values.shape}; expected {shape}"))
        if (np.diff(self.dates_D.astype("int64")) <= 0).any():
            raise BadPanel(Fault("dates", "dates are not strictly increasing", "sort the panel by date"))

    def until(self, date: np.datetime64) -> PricePanel:
        """The panel as it was known at the close of `date`."""
        return self.rows(slice(0, int(np.searchsorted(self.dates_D, date, side="right"))))

    def rows(self, chosen: slice) -> PricePanel:
        """Some dates of the panel."""
        cut = {
            field.name: getattr(self, field.name)[chosen]
            for field in fields(self)
            if field.name.endswith(("_D", "_DN")) and getattr(self, field.name) is not None
        }
        return replace(self, **cut)


def read_prices(path: str | Path) -> PricePanel:
    """Read a long table (Parquet or CSV) with an id, a date and a close. Raises BadPanel with every fault.

    `adj_factor`, where given, turns raw prices into adjusted ones; `volume` in shares is turned into money.
    """
    frame = _load(Path(path))
    try:
        return prices_from_table(frame)
    except BadPanel as error:
        named = [replace(one, message=f"{Path(path).name}: {one.message}") for one in error.faults]
        raise BadPanel(named) from None


def prices_from_table(frame: pd.DataFrame) -> PricePanel:
    """The same from a table that is read already. Raises BadPanel with every fault."""
    id_column = next((name for name in ID_COLUMNS if name in frame), None)
    faults = list(_faults(frame, id_column))
    if faults:
        raise BadPanel(faults)
    frame = frame.rename(columns={id_column: "id"})
    frame["date"] = as_dates(frame["date"])
    return _pivot(frame)


def bundled_sp500() -> PricePanel:
    """Adjusted closes of 20 large US companies, 1990 to 2022, as they come inside the skfolio package."""
    spec = importlib.util.find_spec("skfolio")
    if spec is None or not spec.submodule_search_locations:
        raise BadPanel(Fault("no_skfolio", "the skfolio package is not installed", "run make setup"))
    found = sorted(Path(spec.submodule_search_locations[0]).rglob("sp500_dataset.csv.gz"))
    if not found:
        raise BadPanel(Fault("no_data", "the skfolio package came without sp500_dataset.csv.gz", "reinstall skfolio"))
    wide = pd.read_csv(found[0], index_col=0, parse_dates=True).sort_index()
    dates = wide.index.to_numpy().astype("datetime64[D]")
    return PricePanel(dates, tuple(wide.columns), wide.to_numpy(float))


def _load(path: Path) -> pd.DataFrame:
    try:
        return read_table(path)
    except BadInput as error:
        raise BadPanel(error.faults) from None


def _faults(frame: pd.DataFrame, id_column: str | None) -> Sequence[Fault]:
    faults = []
    if id_column is None:
        faults.append(Fault("no_id", f"no column of ids among {list(frame.columns)}", "name it 'id'"))
    for name in ("date", "close"):
        if name not in frame:
            faults.append(Fault(f"no_{name}", f"no column '{name}' among {list(frame.columns)}", f"add '{name}'"))
    if faults:
        return faults
    dates = as_dates(frame["date"])
    for wrong, code, what in (
        (dates.isna(), "bad_date", "rows have no readable date (like 2020-01-31)"),
        (frame[id_column].isna(), "empty_id", "rows have no id"),
        (frame.assign(date=dates).duplicated([id_column, "date"]), "repeated_row", "rows repeat an id and date"),
        (~_numeric(frame["close"]), "bad_close", "closes are not numbers"),
        (pd.to_numeric(frame["close"], errors="coerce") <= 0, "not_positive", "closes are not above zero"),
    ):
        if wrong.any():
            rows = tuple(f"row {row + 1}" for row in np.flatnonzero(wrong)[:3])
            faults.append(Fault(code, f"{int(wrong.sum())} {what}", "mend or drop them", rows))
    return [*faults, *_other_faults(frame)]


def _other_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    """Faults of the columns that may be there or not."""
    for name in (*PRICE_COLUMNS, *VOLUME_COLUMNS, "adj_factor"):
        if name not in frame:
            continue
        values = pd.to_numeric(frame[name], errors="coerce")
        checks = [("infinite", np.isinf(values), "is infinite")]
        if name != "close":
            checks.append(("not_numeric", ~_numeric(frame[name]), "is no number"))
            checks.append(("negative", values < 0, "is below zero"))
        if name == "adj_factor":
            checks.append(("no_factor", (values == 0) | frame[name].isna(), "is zero or missing"))
        for code, wrong, what in checks:
            if wrong.any():
                rows = tuple(f"row {row + 1}" for row in np.flatnonzero(wrong)[:3])
                yield Fault(code, f"{name} {what} in {int(wrong.sum())} rows", "mend or drop them", rows)


def _numeric(column: pd.Series) -> pd.Series:
    return column.isna() | pd.to_numeric(column, errors="coerce").notna()


def _pivot(frame: pd.DataFrame) -> PricePanel:
    dates, date_codes = np.unique(frame["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    ids, id_codes = np.unique(frame["id"].astype(str).to_numpy().astype(str), return_inverse=True)

    def wide(values: NDArray[np.generic]) -> Floats:
        out = np.full((len(dates), len(ids)), np.nan)
        out[date_codes, id_codes] = values.astype(float)
        return out

    factor = frame["adj_factor"].to_numpy(float) if "adj_factor" in frame else np.ones(len(frame))
    prices = {f"{name}_DN": wide(frame[name].to_numpy(float) * factor) for name in PRICE_COLUMNS if name in frame}
    volume = next((name for name in VOLUME_COLUMNS if name in frame), None)
    if volume is not None:
        money = frame[volume].to_numpy(float) * (frame["close"].to_numpy(float) if volume == "volume" else 1.0)
        prices["volume_DN"] = wide(money)
    sectors = None
    if "sector" in frame:
        first = frame.drop_duplicates("id").set_index("id")["sector"].fillna("unknown").astype(str)
        sectors = tuple(first.reindex(ids).fillna("unknown"))
    return PricePanel(dates, tuple(map(str, ids)), sectors=sectors, **prices)
