"""Strategies of several markets, built point in time from price files: what overlays are tried on.

Shape suffixes: T days, N assets. What is chosen from the closes of day t is traded at the close of t + 1 and earns from
t + 2 on; weights are kept constant until the next choice. A return is that of exposure 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

LARGEST_MOVES = (-1 / 3, 0.5)
"""Daily returns are clipped here: vendors' errors and back-adjustment make some beyond belief."""
DELAY, TARGET = 2, 0.10
CALIBRATION_DAYS = 504
"""A strategy is scaled once, to 10 % a year over its first two years, which are not judged."""
CHEAP = 0.01
STOCK_SPREAD, COIN_SPREAD, BORROW = 0.0005, 0.0020, 0.005


@dataclass(frozen=True)
class Market:
    """Daily returns, half-spreads as fractions, and whether an asset could be chosen that day (T x N each)."""

    dates_T: np.ndarray
    ids: tuple[str, ...]
    return_TN: np.ndarray
    spread_TN: np.ndarray
    open_to_TN: np.ndarray


@dataclass(frozen=True)
class Strategy:
    """Net daily returns at exposure 1, and what it costs to change the exposure by 1."""

    name: str
    dates_T: np.ndarray
    net_T: np.ndarray
    cost_T: np.ndarray


def strategies(folder: Path) -> list[Strategy]:
    """The seven strategies of docs/risk_overlays.md."""
    stocks, futures, coins = stock_market(folder), futures_market(folder), coin_market(folder)
    classes = futures_classes(folder, futures.ids)
    index = np.array([name == "SP500" for name in futures.ids])
    return [
        run("US equity, momentum", stocks, lambda t: long_short(stocks, t, momentum), every=21, borrow=BORROW),
        run("US equity, composite", stocks, lambda t: long_short(stocks, t, composite), every=21, borrow=BORROW),
        run("Futures, trend", futures, lambda t: trend(futures, t), every=21),
        run("Futures, risk parity", futures, lambda t: risk_parity(futures, t, classes), every=21),
        run("S&P 500 future, long", futures, lambda t: (index & futures.open_to_TN[t]).astype(float), every=21),
        run("Crypto, long", coins, lambda t: equal(coins, t), every=5),
        run("Crypto, trend", coins, lambda t: trend(coins, t), every=5),
    ]


def run(name: str, market: Market, choose: Callable[[int], np.ndarray], *, every: int, borrow: float = 0.0) -> Strategy:
    """Choose every few days, trade a day later; scaled by what its first two years measured."""
    held_TN = np.zeros_like(market.return_TN)
    for day in range(252, len(held_TN) - DELAY, every):
        held_TN[day + DELAY : day + DELAY + every] = choose(day)
    traded_TN = np.abs(np.diff(held_TN, axis=0, prepend=0.0))
    net_T = (held_TN * market.return_TN).sum(1) - (traded_TN * market.spread_TN).sum(1)
    net_T -= borrow / 252 * np.maximum(-held_TN, 0.0).sum(1)
    first = int(np.flatnonzero(np.abs(held_TN).sum(1))[0])
    net_T, cost_T = net_T[first:], (np.abs(held_TN) * market.spread_TN).sum(1)[first:]
    scale = TARGET / (net_T[:CALIBRATION_DAYS].std() * np.sqrt(252))
    return Strategy(name, market.dates_T[first:], net_T * scale, cost_T * scale)


def long_short(market: Market, day: int, score: Callable[[Market, int], np.ndarray]) -> np.ndarray:
    """Dollar- and beta-neutral, gross 1: centred ranks of those that are open, less what their betas explain."""
    rank_N = pd.Series(np.where(market.open_to_TN[day], score(market, day), np.nan)).rank(pct=True).to_numpy()
    known_N = np.isfinite(rank_N)
    weight_N = np.zeros(len(rank_N))
    if known_N.sum() > 20:
        design = np.stack([np.ones(known_N.sum()), betas(market, day)[known_N]], axis=1)
        weight_N[known_N] = rank_N[known_N] - design @ np.linalg.lstsq(design, rank_N[known_N], rcond=None)[0]
    return weight_N / max(np.abs(weight_N).sum(), 1e-12)


def betas(market: Market, day: int) -> np.ndarray:
    """Slope of a year's returns on the mean of all that are open."""
    year = market.return_TN[day - 251 : day + 1]
    mean_T = year[:, market.open_to_TN[day]].mean(axis=1)
    mean_T = mean_T - mean_T.mean()
    return mean_T @ year / (mean_T @ mean_T)


def momentum(market: Market, day: int) -> np.ndarray:
    """Return of the last year without the last month (Jegadeesh & Titman 1993)."""
    return market.return_TN[day - 251 : day - 20].sum(axis=0)


def composite(market: Market, day: int) -> np.ndarray:
    """Mean rank of momentum, low volatility and the reversal of the last month."""
    year = market.return_TN[day - 251 : day + 1]
    parts = (momentum(market, day), -year.std(axis=0), -year[-21:].sum(axis=0))
    open_N = market.open_to_TN[day]
    return np.mean([pd.Series(np.where(open_N, part, np.nan)).rank(pct=True) for part in parts], axis=0)


def trend(market: Market, day: int) -> np.ndarray:
    """Sign of the last 1, 3 and 12 months (Moskowitz, Ooi & Pedersen 2012) where trading is cheap for the risk."""
    signs = [np.sign(market.return_TN[day - back + 1 : day + 1].sum(axis=0)) for back in (21, 63, 252)]
    return scaled(market, day, np.mean(signs, axis=0))


def risk_parity(market: Market, day: int, classes: np.ndarray) -> np.ndarray:
    """Long, the same risk in every class and, inside it, in every asset."""
    risk_N = np.zeros(len(market.ids))
    for one in ("Equity", "Bond", "Commodity"):
        chosen_N = (classes == one) & tradable(market, day)
        if chosen_N.any():
            inside_N = chosen_N / chosen_N.sum()
            risk_N += inside_N * multiplier(market, day, inside_N)
    return scaled(market, day, risk_N)


def equal(market: Market, day: int) -> np.ndarray:
    """The same money in every asset that is open."""
    return market.open_to_TN[day] / max(market.open_to_TN[day].sum(), 1)


def scaled(market: Market, day: int, risk_N: np.ndarray) -> np.ndarray:
    """Weights with risks in these proportions, of the target's volatility if correlations stay as they were."""
    spread_N = volatility(market, day)
    risk_N = np.where(tradable(market, day), risk_N, 0.0)
    return risk_N * multiplier(market, day, risk_N) * TARGET / np.maximum(spread_N, 1e-5)


def multiplier(market: Market, day: int, risk_N: np.ndarray) -> float:
    """One over the volatility of these risks on the two years so far, each asset's own volatility being one."""
    past_TN = market.return_TN[max(0, day - 503) : day + 1]
    spread_N = past_TN.std(axis=0)
    total = (past_TN @ (risk_N / np.where(spread_N > 0, spread_N, np.inf))).std()
    return 1.0 / total if total > 1e-9 else 0.0


def volatility(market: Market, day: int) -> np.ndarray:
    """A quarter's volatility, a year."""
    return market.return_TN[day - 62 : day + 1].std(axis=0) * np.sqrt(252)


def tradable(market: Market, day: int) -> np.ndarray:
    """Open, and a round trip costs at most a hundredth of a year's volatility."""
    spread_N = volatility(market, day)
    return market.open_to_TN[day] & (spread_N > 0.002) & (2 * market.spread_TN[day] <= CHEAP * spread_N)


def stock_market(folder: Path) -> Market:
    """Members of the S&P 500 by date, among those of 2021 whose prices are known."""
    frame = pd.read_parquet(folder / "equity_us_sp500_daily.parquet", columns=["ticker", "date", "close", "adj_factor"])
    frame["value"] = frame["close"] * frame["adj_factor"]
    close = wide(frame, "ticker", "value")
    spells = pd.read_parquet(folder / "sp500_membership.parquet")
    member = pd.DataFrame(False, index=close.index, columns=close.columns)
    for name, start, end in spells.itertuples(index=False):
        if name in member:
            member.loc[pd.Timestamp(start) : pd.Timestamp(end) if isinstance(end, str) else None, name] = True
    returns = close.pct_change(fill_method=None)
    return _market(close.index, close.columns, returns, STOCK_SPREAD, member.to_numpy())


def futures_market(folder: Path) -> Market:
    """Futures but the small contracts; return diff(adj_price) / lag(price), half-spread in points over the price."""
    frame = pd.read_parquet(folder / "futures_daily.parquet", columns=["instrument", "date", "adj_price", "price"])
    frame = frame[~frame["instrument"].astype(str).str.contains("_mini|_micro|-mini|-micro")]
    frame = frame[pd.to_datetime(frame["date"]) >= "1980-01-01"]
    adjusted, price = wide(frame, "instrument", "adj_price"), wide(frame, "instrument", "price")
    lagged = price.ffill(limit=5).shift()
    returns = (adjusted.ffill(limit=5).diff() / lagged.where(lagged > 0)).where(adjusted.notna())
    points = pd.read_parquet(folder / "futures_meta.parquet").set_index("instrument")["spread_cost"]
    spread = (points.reindex(price.columns) / lagged.where(lagged > 0)).clip(0, 0.01)
    return _market(price.index, price.columns, returns, spread.ffill().fillna(0.0).to_numpy(), True)


def futures_classes(folder: Path, ids: tuple[str, ...]) -> np.ndarray:
    """Equity, Bond, Commodity or other, of every future."""
    kind = pd.read_parquet(folder / "futures_meta.parquet").set_index("instrument")["AssetClass"]
    commodity = {"Ags": "Commodity", "Metals": "Commodity", "OilGas": "Commodity"}
    return np.array([commodity.get(kind.get(one, ""), kind.get(one, "")) for one in ids])


def coin_market(folder: Path) -> Market:
    """The thirty coins of the largest median volume in the last month, half a year after their first price."""
    frame = pd.read_parquet(folder / "crypto_daily.parquet", columns=["ticker", "date", "close", "usd_volume"])
    frame = frame[pd.to_datetime(frame["date"]).dt.dayofweek < 5]
    close, volume = wide(frame, "ticker", "close"), wide(frame, "ticker", "usd_volume")
    close = close.where(close > 0)
    returns = close / close.ffill(limit=5).shift() - 1.0
    rank = volume.rolling(21, min_periods=15).median().rank(axis=1, ascending=False)
    old = close.notna().cumsum() > 126
    stable = returns.rolling(126, min_periods=60).std() < 0.01
    return _market(close.index, close.columns, returns, COIN_SPREAD, ((rank <= 30) & old & ~stable).to_numpy())


def wide(frame: pd.DataFrame, name: str, value: str) -> pd.DataFrame:
    """Dates by assets on business days."""
    frame = frame.assign(day=pd.to_datetime(frame["date"]), asset=frame[name].astype(str))
    table = frame.pivot(index="day", columns="asset", values=value).astype(float)
    return table[table.index.dayofweek < 5]


def _market(days: pd.Index, ids: pd.Index, returns: pd.DataFrame, spread: object, allowed: object) -> Market:
    """An asset is open where it has a price today and had one a year ago."""
    values = returns.to_numpy().clip(*LARGEST_MOVES)
    known = np.isfinite(values)
    year = pd.DataFrame(known).rolling(252).sum().to_numpy() >= 200
    spread_TN = np.broadcast_to(np.asarray(spread, float), values.shape)
    names = tuple(map(str, ids))
    return Market(
        days.to_numpy("datetime64[D]"), names, np.where(known, values, 0.0), spread_TN, known & year & allowed
    )
