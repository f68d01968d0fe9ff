"""A backtest's market from two files: signals and prices, checked together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from tournament.errors import BadInput, Fault, counted
from tournament.markets.panel import PricePanel, read_prices
from tournament.portfolio.backtest import Market
from tournament.portfolio.config import BacktestConfig, read_config
from tournament.portfolio.risk import Floats
from tournament.tables import as_dates, not_numbers, read_table, repeated, strangers, without


def read_all(config: Path | None, signal: Path, prices: Path) -> tuple[BacktestConfig, Market]:
    """A backtest's config and market. Raises BadInput with every fault of all three files."""
    faults: list[Fault] = []
    told, market = BacktestConfig(), None
    try:
        told = read_config(config)
    except BadInput as error:
        faults += error.faults
    try:
        market = read_market(signal, prices)
    except BadInput as error:
        faults += error.faults
    if faults or market is None:
        raise BadInput(faults)
    return told, market


def read_market(signal: Path, prices: Path) -> Market:
    """Signals on the days and assets of the price panel. Raises BadInput with every fault of either file."""
    faults: list[Fault] = []
    panel, frame = None, None
    try:
        panel = read_prices(prices)
    except BadInput as error:
        faults += error.faults
    else:
        faults += _column_faults(read_table(prices), prices.name)
    try:
        frame = _read_signal(signal)
    except BadInput as error:
        faults += error.faults
    if faults or panel is None or frame is None:
        raise BadInput(faults)
    _check_together(frame, panel)
    signal_TN, betas_TN = _wide(frame, "signal", panel), _column(prices, "beta", panel)
    dividend_TN = _dividends(prices, panel)
    return Market(
        panel.dates_D, panel.ids, panel.close_DN, signal_TN, betas_TN, panel.volume_DN, dividend_TN, panel.sectors
    )


def _read_signal(path: Path) -> pd.DataFrame:
    frame = read_table(path, needs=("date", "id", "signal"))
    faults = without(frame, "id", path.name)
    frame["date"] = as_dates(frame["date"])
    frame["id"] = frame["id"].astype(str)
    faults += not_numbers(frame, ["signal"], path.name) + repeated(frame, ["date", "id"], path.name)
    if frame["date"].isna().any():
        found = counted(int(frame["date"].isna().sum()), "row has", "rows have")
        faults.append(Fault("bad_date", f"{path.name}: {found} no readable date", "write them like 2020-01-31"))
    if is_numeric_dtype(frame["signal"]):
        faults += _signal_faults(frame["signal"], path.name)
    if faults:
        raise BadInput(faults)
    return frame[frame["signal"].notna()]


def _signal_faults(signal: pd.Series, name: str) -> list[Fault]:
    if signal.isna().all():
        return [Fault("no_signal", f"{name}: every signal is missing", "give numbers")]
    infinite = int(np.isinf(signal).sum())
    if not infinite:
        return []
    found = counted(infinite, "signal is", "signals are")
    return [Fault("infinite", f"{name}: {found} infinite", "mend or drop them")]


def _column_faults(frame: pd.DataFrame, name: str) -> list[Fault]:
    """Faults of the columns of prices that only a backtest reads. A missing beta or dividend is none."""
    faults = not_numbers(frame, [one for one in ("beta", "dividend") if one in frame], name)
    for column, least in (("beta", -np.inf), ("dividend", 0.0)):
        if column not in frame or not is_numeric_dtype(frame[column]):
            continue
        wrong = np.isinf(frame[column]) | (frame[column] < least)
        if wrong.any():
            rows = tuple(f"row {row + 1}" for row in np.flatnonzero(wrong)[:3])
            what = "infinite" if least < 0 else "infinite or below zero"
            found = f"{name}: {column} is {what} in {counted(int(wrong.sum()), 'row', 'rows')}"
            faults.append(Fault("out_of_range", found, "mend or empty them", rows))
    return faults


def _check_together(frame: pd.DataFrame, panel: PricePanel) -> None:
    faults = strangers(frame, "signal", days=panel.dates_D, ids=panel.ids, of="the prices")
    dates = frame["date"].to_numpy("datetime64[D]")
    if not faults and not (dates < panel.dates_D[-1]).any():
        faults.append(Fault("too_late", "no signal has a later close to be traded at", "give prices after it"))
    if faults:
        raise BadInput(faults)


def _wide(frame: pd.DataFrame, column: str, panel: PricePanel) -> Floats:
    """A long column as days x assets; rows of unknown ids are left out."""
    frame = frame[frame["id"].isin(panel.ids)]
    out = np.full(panel.close_DN.shape, np.nan)
    place = {name: column for column, name in enumerate(panel.ids)}
    days = np.searchsorted(panel.dates_D, frame["date"].to_numpy("datetime64[D]"))
    out[days, frame["id"].map(place).to_numpy(int)] = frame[column].to_numpy(float)
    return out


def _dividends(prices: Path, panel: PricePanel) -> Floats | None:
    """Dividends as fractions of the day's close, where the file has them and its closes are not adjusted for them."""
    names = read_table(prices).columns
    paid_TN = None if "adj_factor" in names else _column(prices, "dividend", panel)
    return None if paid_TN is None else paid_TN / panel.close_DN


def _column(prices: Path, name: str, panel: PricePanel) -> Floats | None:
    """A further column of the prices, where the file has it (T x N)."""
    frame = read_table(prices)
    if name not in frame:
        return None
    frame = frame.rename(columns={old: "id" for old in ("ticker", "symbol") if old in frame and "id" not in frame})
    return _wide(frame.assign(id=frame["id"].astype(str), date=as_dates(frame["date"])), name, panel)
