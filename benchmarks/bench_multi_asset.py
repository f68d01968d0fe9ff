"""One book of stocks, index, bond, currency and commodity futures, and coins: how should the risk be shared out?

PYTHONPATH=platform:. python benchmarks/bench_multi_asset.py [--book BOOK] [--arms long,signals]

REGATTA_DATA names the folder of the price files. Everything is written to BOOK (a temporary folder by default) as files
and configs that `manage.py backtest_multi_asset --config BOOK/<arm>.toml --out OUT` takes. See docs/multi_asset.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from tournament.portfolio.multi_asset.config import read_book_config
from tournament.portfolio.multi_asset.inputs import read_inputs
from tournament.portfolio.multi_asset.outcome import calibration_of, figures_of, group_parts, step_returns
from tournament.portfolio.multi_asset.walk import Walked, walk
from tournament.portfolio.overlay.judging import sharpe_a_year, sharpe_gain_error

DATA = Path(os.environ.get("REGATTA_DATA", "../shared/data"))
FIRST, LAST, EVERY = "2001-01-01", "2021-04-21", 5
STOCKS, COINS, CHEAP = 60, 20, 0.01
GROUPS = {"Equity": "indices", "Bond": "bonds", "FX": "currencies", "Ags": "commodities", "Metals": "commodities",
          "OilGas": "commodities"}  # fmt: skip
LONG = ("stocks", "bonds", "commodities", "indices", "coins")
"""Groups in which being long is paid for by somebody; currencies are not among them."""
ARMS = {
    "long": ("equal_money", "equal_volatility", "risk_parity", "nested_risk_parity", "hierarchical"),
    "signals": ("equal_money", "equal_volatility", "risk_parity", "convex"),
}
HEAD = """\
| shared out by | Sharpe gross | net | over equal money | volatility | drawdown | costs | gross | bias | took |
|---|---|---|---|---|---|---|---|---|---|"""
CONFIG = """
{neutral}
[book]
method = "{method}"
every_days = 20
target_volatility = 0.10
[budgets]
{budgets}
[[market]]
name = "stocks"
prices = "stocks.parquet"
group = "stocks"
carry = "financing_stocks.parquet"
half_spread = 0.0005
borrow_per_year = 0.005
[[market]]
name = "futures"
prices = "futures.parquet"
returns = "back_adjusted"
instruments = "futures.csv"
[[market]]
name = "coins"
prices = "coins.parquet"
group = "coins"
calendar = "every_day"
carry = "financing_coins.parquet"
half_spread = 0.002
borrow_per_year = 0.10
largest_move = 1.0
"""
TOURNAMENT = """
[[tournament]]
name = "{name}"
signals = "{name}.parquet"
standard = "{standard}"
expected_corr = {corr}
horizon_days = {horizon}
age_days = 10
"""


def stocks() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prices, and the largest members of the index by volume with their composite score, every few days."""
    frame = pd.read_parquet(DATA / "equity_us_sp500_daily.parquet")
    frame = frame.assign(date=pd.to_datetime(frame["date"]), id=frame["ticker"].astype(str))
    frame["money"] = frame["close"] * frame["volume"]
    adjusted = frame.assign(value=frame["close"] * frame["adj_factor"]).pivot(
        index="date", columns="id", values="value"
    )
    money = frame.pivot(index="date", columns="id", values="money").rolling(63, min_periods=40).median()
    spells = pd.read_parquet(DATA / "sp500_membership.parquet")
    member = pd.DataFrame(False, index=adjusted.index, columns=adjusted.columns)
    for name, start, end in spells.itertuples(index=False):
        if name in member:
            member.loc[pd.Timestamp(start) : pd.Timestamp(end) if isinstance(end, str) else None, name] = True
    largest = money.where(member).rank(axis=1, ascending=False) <= STOCKS
    returns = adjusted.pct_change(fill_method=None)
    parts = (adjusted.shift(21) / adjusted.shift(252), -returns.rolling(252, min_periods=200).std(),
             -adjusted / adjusted.shift(21))  # fmt: skip
    score = sum(part.where(largest).rank(axis=1, pct=True) for part in parts)
    return frame[["date", "id", "close", "adj_factor"]], every(score)


def futures() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """Prices, about each, the trend of those that are cheap to trade, and the policy rate that futures told."""
    meta = pd.read_parquet(DATA / "futures_meta.parquet").set_index("instrument")
    frame = pd.read_parquet(DATA / "futures_daily.parquet", columns=["instrument", "date", "adj_price", "price"])
    frame = frame.assign(date=pd.to_datetime(frame["date"]), id=frame["instrument"].astype(str)).dropna()
    frame = frame[(frame["date"].dt.day_of_week < 5) & (frame["price"] > 0)]
    rate = 1.0 - frame[frame["id"] == "FED"].set_index("date")["price"].astype(float) / 100.0
    small = {"CAD_micro": "CAD", "CHF_micro": "CHF"}  # those whose large contract has no prices in the file
    chosen = meta[
        meta["AssetClass"].isin(list(GROUPS)) & (meta["SubClass"] != "Crypto") & (meta["SubClass"] != "Index")
    ]
    names = [one for one in chosen.index if one in small or not any(word in one for word in ("mini", "micro"))]
    frame = frame[frame["id"].isin([one for one in names if one not in small.values()])]
    about = pd.DataFrame(
        {
            "id": names, "group": [GROUPS[one] for one in chosen.loc[names, "AssetClass"]],
            "multiplier": chosen.loc[names, "Pointsize"].to_numpy(),
            "spread_points": (chosen["spread_cost"] + chosen["PerBlock"] / chosen["Pointsize"]).loc[names].to_numpy(),
        }
    )  # fmt: skip
    about = about[about["id"].isin(frame["id"].unique())]
    wide = {name: frame.pivot(index="date", columns="id", values=name).astype(float) for name in ("adj_price", "price")}
    before = wide["price"].ffill(limit=5).shift()
    returns = wide["adj_price"].ffill(limit=5).diff() / before
    volatility = returns.rolling(63, min_periods=40).std() * np.sqrt(252)
    cheap = 2.0 * about.set_index("id")["spread_points"] / before <= CHEAP * volatility
    tables = [frame[["date", "id", "adj_price", "price"]], about, every(trend(returns).where(cheap))]
    return *(one.assign(id=one["id"] + "=F") for one in tables), rate  # stocks have names like these


def coins() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prices, and the trend of the largest coins by a month's volume that move at all."""
    frame = pd.read_parquet(DATA / "crypto_daily.parquet", columns=["ticker", "date", "close", "usd_volume"])
    frame = frame.assign(date=pd.to_datetime(frame["date"]), id=frame["ticker"].astype(str) + "-USD").dropna()
    frame = frame[frame["close"] > 0]
    close = frame.pivot(index="date", columns="id", values="close").astype(float)
    volume = frame.pivot(index="date", columns="id", values="usd_volume").rolling(21, min_periods=15).median()
    returns = close.pct_change(fill_method=None)
    moves = returns.rolling(126, min_periods=60).std() > 0.01
    chosen = (volume.rank(axis=1, ascending=False) <= COINS) & moves & (close.notna().cumsum() > 180)
    score = trend(returns, days_a_month=30).where(chosen)
    return frame[["date", "id", "close"]], every(score[score.index.day_of_week < 5])


def trend(returns: pd.DataFrame, *, days_a_month: int = 21) -> pd.DataFrame:
    """Mean sign of the last 1, 3 and 12 months (Moskowitz, Ooi & Pedersen 2012)."""
    months = [
        returns.rolling(days_a_month * count, min_periods=days_a_month * count * 4 // 5).sum() for count in (1, 3, 12)
    ]
    return sum(np.sign(month) for month in months) / 3.0


def every(score: pd.DataFrame) -> pd.DataFrame:
    """A wide table as date, id, signal, every few of its days."""
    some = score.loc[FIRST:LAST].iloc[::EVERY].rename_axis(index="date", columns="id")
    return some.stack().rename("signal").dropna().reset_index()


def write(folder: Path) -> None:
    """Every file of the books."""
    (stock, composite), (coin, coin_trend) = stocks(), coins()
    future, about, future_trend, rate = futures()
    rate = rate.clip(lower=0.0).loc["1999-01-01":LAST]
    about.to_csv(folder / "futures.csv", index=False)
    for name, frame in (("stocks", stock), ("coins", coin)):
        weekly = rate.iloc[::5]
        pairs = pd.MultiIndex.from_product([weekly.index, frame["id"].unique()], names=["date", "id"]).to_frame(
            index=False
        )
        pairs.assign(per_year=-pairs["date"].map(weekly)).to_parquet(folder / f"financing_{name}.parquet", index=False)
    group = about.set_index("id")["group"]
    parts = {"stocks": composite, "coins": coin_trend}
    parts |= {name: future_trend[future_trend["id"].map(group) == name] for name in sorted(set(group))}
    for name, frame in (("stocks", stock), ("futures", future), ("coins", coin)):
        inside(frame, parts).to_parquet(folder / f"{name}.parquet", index=False)
    for name, frame in parts.items():
        frame.to_parquet(folder / f"signal_{name}.parquet", index=False)
        frame.assign(signal=1.0).to_parquet(folder / f"long_{name}.parquet", index=False)
    for kind, methods in ARMS.items():
        for method in methods:
            (folder / f"{kind}_{method}.toml").write_text(config(kind, method, sorted(parts)))


def inside(frame: pd.DataFrame, parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Prices of what some tournament ever has a signal of."""
    named = set(pd.concat(parts.values())["id"])
    return frame[frame["date"].between("1999-01-01", LAST) & frame["id"].isin(named)]


def config(kind: str, method: str, names: list[str]) -> str:
    """Every group of the arm at the same share of risk; each a tournament of its own."""
    held = [name for name in names if kind == "signals" or name in LONG]
    budgets = "\n".join(f"{name} = {1.0 if name in held else 0.0}" for name in names)
    text = CONFIG.format(method=method, budgets=budgets, neutral='neutral = ["stocks"]' if kind == "signals" else "")
    for name in held:
        ranked = kind == "signals" and name == "stocks"
        text += TOURNAMENT.format(
            name=f"{'signal' if kind == 'signals' else 'long'}_{name}",
            standard="relative" if ranked else "directional",
            corr=0.02 if ranked else 0.10, horizon=20 if ranked else 60,
        )  # fmt: skip
    return text


def told(name: str, made: Walked, base: pd.Series, seconds: float) -> None:
    """One row of the table, beside the base's returns."""
    by_name = {one.name: one for one in figures_of(made)}
    net = returns_of(made)
    both = pd.concat([net, base], axis=1, join="inner").to_numpy()
    ratios = [sharpe_a_year(both[:, place], periods_a_year=261) for place in (0, 1)]
    error = sharpe_gain_error(both[:, 0], both[:, 1], periods_a_year=261, block=63)
    against = "" if net.equals(base) else f"{ratios[0] - ratios[1]:+.2f} ± {error:.2f}"
    found = calibration_of(made)
    sharpe, before = by_name["Sharpe ratio"], by_name["Sharpe ratio before costs"].value
    print(
        f"| {name.replace('_', ' ')} | {before:.2f} | {sharpe.value:.2f} ± {sharpe.error:.2f}"
        f" | {against} | {by_name['Volatility a year'].value:.1%} | {-by_name['Largest drawdown'].value:.0%}"
        f" | {by_name['Cost a year'].value:.1%} | {by_name['Gross exposure'].value:.1f}"
        f" | {found.bias if found else float('nan'):.2f} | {seconds:.0f} s |"
    )


def returns_of(made: Walked) -> pd.Series:
    """Net returns by day of the whole book."""
    days = made.dates_T[np.flatnonzero(made.panel.steps_T[made.first :])]
    return pd.Series(step_returns(made, "net_return"), index=days)


def groups_told(made: Walked) -> None:
    for one in group_parts(made):
        print(
            f"|   {one.name} | before costs {one.gross:+.1%} a year, carry {one.carry:+.1%}, costs {one.cost:.1%}"
            f" | Sharpe {one.sharpe:+.2f} ± {one.sharpe_error:.2f}"
            f" | risk {one.forecast_share:.0%} forecast, {one.realised_share:.0%} realised |"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--book", type=Path)
    parser.add_argument("--arms", default="long,signals")
    options = parser.parse_args()
    if not (DATA / "futures_daily.parquet").exists():
        print(f"{DATA} has no futures_daily.parquet; set REGATTA_DATA to the folder of the price files")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.book or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder)
        for kind in options.arms.split(","):
            given = read_inputs(read_book_config(folder / f"{kind}_{ARMS[kind][0]}.toml"), folder)
            print(f"\n{kind}: {len(given.panel.ids)} instruments")
            print(HEAD)
            base = None
            for method in ARMS[kind]:
                began = time.process_time()
                made = walk(given.panel, given.signals, read_book_config(folder / f"{kind}_{method}.toml"))
                base = returns_of(made) if base is None else base
                told(method, made, base, time.process_time() - began)
                if method in ("risk_parity", "convex"):
                    groups_told(made)


if __name__ == "__main__":
    main()
