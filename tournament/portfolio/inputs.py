"""A backtest's market from two files: signals and prices, checked together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tournament.errors import BadInput, Fault
from tournament.markets.panel import PricePanel, read_prices
from tournament.portfolio.backtest import Market
from tournament.portfolio.risk import Floats
from tournament.tables import as_dates, not_numbers, read_table, repeated


def read_market(signal: Path, prices: Path) -> Market:
    """Signals on the days and assets of the price panel. Raises BadInput with every fault of either file."""
    faults: list[Fault] = []
    panel, frame = None, None
    try:
        panel = read_prices(prices)
    except BadInput as error:
        faults += error.faults
    try:
        frame = _read_signal(signal)
    except BadInput as error:
        faults += error.faults
    if panel is None or frame is None:
        raise BadInput(faults)
    _check_together(frame, panel)
    signal_TN, betas_TN = _wide(frame, "signal", panel), _column(prices, "beta", panel)
    dividend_TN = _dividends(prices, panel)
    return Market(
        panel.dates_D, panel.ids, panel.close_DN, signal_TN, betas_TN, panel.volume_DN, dividend_TN, panel.sectors
    )


def _read_signal(path: Path) -> pd.DataFrame:
    frame = read_table(path, needs=("date", "id", "signal"))
    frame["date"] = as_dates(frame["date"])
    frame["id"] = frame["id"].astype(str)
    faults = not_numbers(frame, ["signal"], path.name) + repeated(frame, ["date", "id"], path.name)
    if frame["date"].isna().any():
        faults.append(Fault("bad_date", f"{path.name}: {int(frame['date'].isna().sum())} rows have no readable date"))
    if not faults and np.isinf(frame["signal"]).any():
        faults.append(Fault("infinite", f"{path.name}: {int(np.isinf(frame['signal']).sum())} signals are infinite"))
    if faults:
        raise BadInput(faults)
    return frame[frame["signal"].notna()]


def _check_together(frame: pd.DataFrame, panel: PricePanel) -> None:
    faults = []
    dates = frame["date"].to_numpy("datetime64[D]")
    strange = np.unique(dates[~np.isin(dates, panel.dates_D)]).astype(str)
    if len(strange):
        message = f"{len(strange)} dates of the signal are no trading days of the prices"
        faults.append(Fault("no_trading_day", message, "date each signal by the close at which it was known",
                            tuple(strange[:3])))  # fmt: skip
    if not frame["id"].isin(panel.ids).any():
        examples = tuple(frame["id"].head(3))
        faults.append(Fault("no_common_id", "no id of the signal is among those of the prices", "", examples))
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
    if faults := not_numbers(frame, [name], prices.name):
        raise BadInput(faults)
    return _wide(frame.assign(id=frame["id"].astype(str), date=as_dates(frame["date"])), name, panel)
