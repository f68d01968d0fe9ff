"""Price files of any market as one panel: stocks, coins, futures and currencies, each in its collector's columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadInput, BadPanel, Fault
from tournament.markets.panel import PricePanel, prices_from_table
from tournament.tables import as_dates, read_table

FUTURES = {"instrument", "date", "adj_price", "price"}
SERIES = {"series", "date", "close", "asset_class"}
COINS = {"ticker", "date", "close", "usd_volume"}
SMALLER_CONTRACTS = ("_mini", "_micro")
LARGEST_MOVES = (-1 / 3, 0.5)
"""Daily returns of futures and coins are clipped here: vendors' errors and back-adjustment make some beyond belief."""
CARRIED_DAYS = 5
SATURDAY = 5


def read_market(path: Path) -> PricePanel:
    """Prices of a file on business days. Raises BadPanel with every fault.

    Knows the columns of `read_prices`, of futures (instrument, adj_price, price), of currencies among other series
    (series, close, asset_class) and of coins, which trade on week-ends too.
    """
    try:
        frame = read_table(path)
    except BadInput as error:
        raise BadPanel(error.faults) from None
    columns = set(frame.columns)
    if columns >= FUTURES:
        return _carried(prices_from_table(_futures(frame)))
    if columns >= SERIES:
        return _carried(prices_from_table(_currencies(frame)))
    return prices_from_table(_coins(frame) if columns >= COINS else frame)


def with_sectors(panel: PricePanel, path: Path) -> PricePanel:
    """The panel with each asset's sector: 'unknown' for an asset that the table does not name. Raises BadInput."""
    frame = read_table(path).rename(columns={"Symbol": "id", "ticker": "id", "GICS Sector": "sector"})
    missing = [name for name in ("id", "sector") if name not in frame]
    if missing:
        raise BadInput(Fault("no_column", f"{path.name} has no column {missing[0]}", "give id and sector"))
    sector = dict(zip(frame["id"].astype(str), frame["sector"].astype(str), strict=True))
    return replace(panel, sectors=tuple(sector.get(name, "unknown") for name in panel.ids))


def membership(panel: PricePanel, path: Path) -> NDArray[np.bool_]:
    """Whether each asset was a member of the index on each date (D x N). Raises BadInput.

    The table has id (or ticker), start_date and end_date, one row a spell; no end: still a member.
    """
    frame = read_table(path, needs=("start_date", "end_date")).rename(columns={"ticker": "id"})
    if "id" not in frame:
        raise BadInput(Fault("no_column", f"{path.name} has no column id", "give id, start_date, end_date"))
    starts, ends = as_dates(frame["start_date"]), as_dates(frame["end_date"])
    place = {name: column for column, name in enumerate(panel.ids)}
    member_DN = np.zeros(panel.close_DN.shape, dtype=bool)
    for name, start, end in zip(frame["id"].astype(str), starts, ends, strict=True):
        if name in place and not pd.isna(start):
            last = panel.dates_D[-1] if pd.isna(end) else np.datetime64(end, "D")
            member_DN[(panel.dates_D >= np.datetime64(start, "D")) & (panel.dates_D <= last), place[name]] = True
    return member_DN


def _futures(frame: pd.DataFrame) -> pd.DataFrame:
    """An index of each contract's returns, diff(adj_price) / lag(price); small contracts repeat large ones."""
    frame = frame[~frame["instrument"].astype(str).str.endswith(SMALLER_CONTRACTS)]
    frame = frame.assign(id=frame["instrument"].astype(str), date=as_dates(frame["date"])).sort_values(["id", "date"])
    before = frame.groupby("id")[["adj_price", "price"]].shift()
    returns = (frame["adj_price"].astype(float) - before["adj_price"]) / before["price"]
    return _index(frame[["id", "date"]], returns.where(before["price"] > 0))


def _coins(frame: pd.DataFrame) -> pd.DataFrame:
    """An index of each coin's returns on business days, so that five rows are a week, with the money traded."""
    frame = frame.assign(id=frame["ticker"].astype(str), date=as_dates(frame["date"])).sort_values(["id", "date"])
    frame = frame[frame["date"].dt.dayofweek < SATURDAY]
    close = frame["close"].astype(float).where(frame["close"] > 0)
    returns = close / close.groupby(frame["id"]).shift() - 1.0
    return _index(frame[["id", "date", "usd_volume"]], returns)


def _index(frame: pd.DataFrame, returns: pd.Series) -> pd.DataFrame:
    """Closes that start at 100 and grow by the clipped returns, from the first return that is known."""
    known = returns.where(np.isfinite(returns)).clip(*LARGEST_MOVES)
    growth = np.log1p(known.fillna(0.0)).groupby(frame["id"]).cumsum()
    begun = known.notna().groupby(frame["id"]).cummax()
    return frame.assign(close=100.0 * np.exp(growth))[begun]


def _currencies(frame: pd.DataFrame) -> pd.DataFrame:
    """Daily currency pairs; where two collectors give the same pair, the longer series."""
    frame = frame[frame["asset_class"].astype(str) == "fx"]
    names = frame["series"].astype(str)
    frame = frame.assign(id=names, date=as_dates(frame["date"]), pair=names.str.removesuffix("_PST"))
    longest = frame.groupby(["pair", "id"]).size().reset_index(name="rows").sort_values("rows").groupby("pair").last()
    return frame.loc[frame["id"].isin(longest["id"]), ["id", "date", "close"]]


def _carried(panel: PricePanel) -> PricePanel:
    """The panel of business days with closes carried over a few days: exchanges keep different holidays."""
    week = np.is_busday(panel.dates_D)
    close_DN = pd.DataFrame(panel.close_DN[week]).ffill(limit=CARRIED_DAYS).to_numpy(dtype=float)
    return PricePanel(panel.dates_D[week], panel.ids, close_DN)
