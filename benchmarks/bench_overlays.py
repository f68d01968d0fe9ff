"""What do overlays change? Sharpe ratio with a paired error, and drawdown, on strategies of several markets.

REGATTA_DATA names the folder of the price files (equities, futures, coins). See docs/risk_overlays.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from strategies import CALIBRATION_DAYS, STOCK_SPREAD, Market, Strategy, long_short, momentum, stock_market, strategies

from tournament.portfolio.overlay.controls import Managed, manage
from tournament.portfolio.overlay.evidence import Estimate, Evidence, estimated, gather
from tournament.portfolio.overlay.judging import judge, largest_drawdown, sharpe_a_year, sharpe_gain_error
from tournament.portfolio.overlay.learner import Learned, foreseen, learn, mixed
from tournament.portfolio.overlay.prior import learned_prior, stretches, together
from tournament.portfolio.overlay.settings import LEARNABLE, LIVE, Controls
from tournament.portfolio.overlay.stops import Stops, hold
from tournament.portfolio.overlay.worlds import simulate_strategies

DATA = Path(os.environ.get("REGATTA_DATA", "../shared/data"))
YEAR, BLOCK = 252.0, 63
SHOWN = (
    "volatility, 3 months",
    "variance, 1 month",
    "drawdown 25 %",
    "volatility and drawdown 25 %",
    "volatility, half Kelly",
)
NAMES, SETTINGS = list(LEARNABLE), list(LEARNABLE.values())
BASE = NAMES.index("constant")
WORLDS, WORLD_DAYS, SEED = 60, 2_520, 7


def aligned(found: list[Strategy]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dates, returns and costs on one calendar; NaN where a strategy has no day."""
    dates_T = np.unique(np.concatenate([one.dates_T for one in found]))
    return_TS = np.full((len(dates_T), len(found)), np.nan)
    cost_TS = return_TS.copy()
    for place, one in enumerate(found):
        rows = np.searchsorted(dates_T, one.dates_T)
        return_TS[rows, place], cost_TS[rows, place] = one.net_T, one.cost_T
    return dates_T, return_TS, cost_TS


def simulated_tasks(settings: list[Controls]) -> Estimate:
    """Gains of all settings in the simulated worlds."""
    worlds = simulate_strategies(np.random.default_rng(SEED), worlds=WORLDS, periods=WORLD_DAYS)
    managed = manage(worlds.return_TW, worlds.cost_TW, settings, periods_a_year=YEAR)
    return estimated(gather(managed.net_TJS, periods_a_year=YEAR)[-1])


def judged_rows(return_T: np.ndarray) -> np.ndarray:
    """Days of a strategy after those by which it was scaled."""
    return np.flatnonzero(np.isfinite(return_T))[CALIBRATION_DAYS:]


def table(found: list[Strategy], return_TS: np.ndarray, cost_TS: np.ndarray, managed: Managed, learned: dict) -> None:
    arms = ["constant", *SHOWN, *learned]
    print("| strategy | " + " | ".join(arms) + " |\n|---" * 1 + "|---" * len(arms) + "|")
    for place, one in enumerate(found):
        rows = judged_rows(return_TS[:, place])
        courses = [managed.net_TJS[rows, NAMES.index(name), place] for name in SHOWN]
        courses += [
            mixed(managed.exposure_TJS, what.weights_T(len(return_TS)), return_TS, cost_TS)[1][rows, place]
            for what in learned.values()
        ]
        base_T = managed.net_TJS[rows, BASE, place]
        cells = [f"{sharpe_a_year(base_T, periods_a_year=YEAR):.2f}, {largest_drawdown(base_T):.0%}"]
        for course_T in courses:
            got = judge(course_T, base_T, periods_a_year=YEAR, block=BLOCK)
            cells.append(f"{got.gain:+.2f} ± {got.error:.2f}, {got.drawdown:.0%} ({got.drawdown_matched:.0%})")
        first = pd.Timestamp(one.dates_T[CALIBRATION_DAYS]).year
        print(f"| {one.name}, {first}-{pd.Timestamp(one.dates_T[-1]).year} | " + " | ".join(cells) + " |")


def pooled(return_TS: np.ndarray, managed: Managed) -> None:
    """The mean of the strategies' gains, with the error of drawing the strategies anew."""
    print("\n| setting | mean gain over constant | error among strategies | gained |\n|---|---|---|---|")
    for name in NAMES:
        gains = []
        for place in range(return_TS.shape[1]):
            rows = judged_rows(return_TS[:, place])
            base, course = (managed.net_TJS[rows, setting, place] for setting in (BASE, NAMES.index(name)))
            gains.append(sharpe_a_year(course, periods_a_year=YEAR) - sharpe_a_year(base, periods_a_year=YEAR))
        error = np.std(gains, ddof=1) / np.sqrt(len(gains))
        print(f"| {name} | {np.mean(gains):+.3f} | {error:.3f} | {sum(gain > 0 for gain in gains)} of {len(gains)} |")


def against_default(found, return_TS, cost_TS, managed: Managed, learned: dict[str, Learned]) -> None:
    print("\n| strategy | " + " | ".join(learned) + " |\n|---" + "|---" * len(learned) + "|")
    for place, one in enumerate(found):
        rows, cells = judged_rows(return_TS[:, place]), []
        for what in learned.values():
            net_TS = mixed(managed.exposure_TJS, what.weights_T(len(return_TS)), return_TS, cost_TS)[1]
            got = judge(net_TS[rows, place], managed.net_TJS[rows, 0, place], periods_a_year=YEAR, block=BLOCK)
            cells.append(f"{got.gain:+.3f} ± {got.error:.3f}")
        print(f"| {one.name} | " + " | ".join(cells) + " |")


def priors(moments: list[Evidence], worlds: Estimate) -> None:
    """What a new strategy is expected to gain by each setting over the default."""
    real, simulated = learned_prior(stretches(moments)), learned_prior(worlds)
    both = learned_prior(together(stretches(moments), worlds))
    print(f"\n| setting | {real.tasks} real tasks | {simulated.tasks} worlds | both |\n|---|---|---|---|")
    for setting, name in enumerate(NAMES):
        cells = (f"{one.gain_J[setting]:+.3f} ± {one.spread_J[setting]:.3f}" for one in (real, simulated, both))
        print(f"| {name} | " + " | ".join(cells) + " |")


def live_prior(return_TS: np.ndarray, cost_TS: np.ndarray) -> None:
    """The prior of settings whose exposure may only fall, as `overlay/learned.py` keeps it: printed to be put there."""
    settings = list(LIVE.values())
    managed = manage(return_TS, cost_TS, settings, periods_a_year=YEAR)
    real = stretches(gather(managed.net_TJS, periods_a_year=YEAR))
    prior = learned_prior(together(real, simulated_tasks(settings)))
    print(f"\n{prior.tasks} tasks; settings that never exceed 1, their gain over constant, and their prior:")
    for setting, name in enumerate(NAMES):
        gains = []
        for place in range(return_TS.shape[1]):
            rows = judged_rows(return_TS[:, place])
            course, base = managed.net_TJS[rows, setting, place], managed.net_TJS[rows, BASE, place]
            gains.append(sharpe_a_year(course, periods_a_year=YEAR) - sharpe_a_year(base, periods_a_year=YEAR))
        print(f'    "{name}": ({prior.gain_J[setting]:.4f}, {prior.spread_J[setting]:.4f}),  # {np.mean(gains):+.3f}')


def log(found: list[Strategy], dates_T: np.ndarray, learned: Learned, most: int = 12) -> None:
    print(f"\nMoves of weight: {len(learned.moves)}; the largest:")
    for move in sorted(learned.moves, key=lambda one: -abs(one.after - one.before))[:most]:
        day = dates_T[min(move.review * learned.every, len(dates_T) - 1)]
        print(f"  {day} {found[move.strategy].name}: {NAMES[move.setting]} {move.before:.2f} -> {move.after:.2f},"
              f" gain {move.gain:+.3f} ± {move.error:.3f}, prior {move.prior_gain:+.3f}")  # fmt: skip


def stops_table(market: Market, folder: Path) -> None:
    """Stops per position on equity momentum: books of 21 days, closed early at the day's range."""
    ranges = price_ranges(market, folder)
    courses = {}
    for name, stops in {
        "none": Stops(), **{f"stop {level:.0%}": Stops(loss=level) for level in (0.1, 0.15, 0.2, 0.3)},
        "trailing 20%": Stops(trailing=0.2), "take-profit 20%": Stops(gain=0.2),
    }.items():  # fmt: skip
        courses[name] = stopped(market, ranges, stops)
    print("\n| rule | Sharpe | change | worst 21 days | largest drawdown |\n|---|---|---|---|---|")
    base = courses["none"]
    for name, net_T in courses.items():
        ratio = sharpe_a_year(net_T, periods_a_year=YEAR)
        change = ratio - sharpe_a_year(base, periods_a_year=YEAR)
        error = sharpe_gain_error(net_T, base, periods_a_year=YEAR, block=BLOCK)
        month = net_T[: len(net_T) // 21 * 21].reshape(-1, 21).sum(axis=1).min()
        print(f"| {name} | {ratio:.2f} | {change:+.2f} ± {error:.2f} | {month:.1%} | {largest_drawdown(net_T):.0%} |")


def price_ranges(market: Market, folder: Path) -> dict[str, np.ndarray]:
    """Adjusted open, high, low and close on the market's days and ids."""
    frame = pd.read_parquet(folder / "equity_us_sp500_daily.parquet")
    frame = frame.assign(day=pd.to_datetime(frame["date"]), ticker=frame["ticker"].astype(str))
    days = pd.DatetimeIndex(market.dates_T)
    tables = {}
    for name in ("open", "high", "low", "close"):
        frame[name] = frame[name].astype(float) * frame["adj_factor"].astype(float)
        wide = frame.pivot(index="day", columns="ticker", values=name)
        tables[name] = wide.reindex(index=days, columns=list(market.ids)).where(lambda one: one > 0).to_numpy()
    return tables


def stopped(market: Market, ranges: dict[str, np.ndarray], stops: Stops) -> np.ndarray:
    """Net daily returns of monthly momentum books under the rule; entry and exit pay the spread."""
    earned = []
    for day in range(252, len(market.dates_T) - 22, 21):
        weight_N = long_short(market, day, momentum)
        if not weight_N.any():
            continue
        days = slice(day + 2, day + 23)
        entry_N = np.where(weight_N != 0, ranges["close"][day + 1], np.nan)
        held = hold(
            weight_N, entry_N, ranges["open"][days], ranges["high"][days], ranges["low"][days], ranges["close"][days],
            stops,
        )  # fmt: skip
        held.earned_T[0] -= 2 * STOCK_SPREAD * np.abs(weight_N).sum()
        earned.append(held.earned_T)
    return np.concatenate(earned)


def main() -> None:
    if not (DATA / "futures_daily.parquet").exists():
        print(f"{DATA} has no futures_daily.parquet; set REGATTA_DATA to the folder of the price files")
        return
    found = strategies(DATA)
    dates_T, return_TS, cost_TS = aligned(found)
    managed = manage(return_TS, cost_TS, SETTINGS, periods_a_year=YEAR)
    moments, worlds = gather(managed.net_TJS, periods_a_year=YEAR), simulated_tasks(SETTINGS)
    learned = {"learned": learn(moments, worlds), "learned at 1 s.e.": learn(moments, worlds, sigmas=1.0)}
    table(found, return_TS, cost_TS, managed, learned)
    pooled(return_TS, managed)
    against_default(found, return_TS, cost_TS, managed, learned | {"canary": foreseen(moments)})
    priors(moments, worlds)
    log(found, dates_T, learned["learned"])
    live_prior(return_TS, cost_TS)
    stops_table(stock_market(DATA), DATA)


if __name__ == "__main__":
    main()
