"""A course by stretches of time: its drawdowns, months, years, bad weeks of the market and round trips."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from tournament.portfolio.metrics import depths
from tournament.portfolio.risk import Floats

STRESSES = (
    ("Black Monday", "1987-10-01", "1987-11-30"), ("Russia and LTCM", "1998-08-01", "1998-10-15"),
    ("Dotcom bust", "2000-03-10", "2002-10-09"), ("September 2001", "2001-09-10", "2001-09-28"),
    ("Quant crisis", "2007-08-01", "2007-08-31"), ("Credit crisis", "2008-09-01", "2009-03-09"),
    ("Flash crash", "2010-05-05", "2010-06-30"), ("US downgrade", "2011-07-22", "2011-10-03"),
    ("China and oil", "2015-08-10", "2016-02-11"), ("Volatility spike", "2018-01-26", "2018-02-09"),
    ("Autumn 2018", "2018-10-03", "2018-12-24"), ("Pandemic", "2020-02-19", "2020-03-23"),
    ("Vaccine rotation", "2020-11-06", "2020-12-31"), ("Rates and inflation", "2022-01-03", "2022-10-12"),
)  # fmt: skip
"""Named by their public dates."""


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall from a high: days of the course of the high, the low and the recovery (None: not yet)."""

    peak: int
    bottom: int
    recovered: int | None
    depth: float


def drawdowns(net_T: Floats, most: int = 10) -> list[Drawdown]:
    """The deepest falls, deepest first; none overlap."""
    depth_T, found, start = depths(net_T), [], None
    for day in range(len(net_T) + 1):
        under = day < len(net_T) and depth_T[day] < 0
        if under and start is None:
            start = day
        elif not under and start is not None:
            bottom = start + int(depth_T[start:day].argmin())
            found.append(Drawdown(max(0, start - 1), bottom, day if day < len(net_T) else None, float(depth_T[bottom])))
            start = None
    return sorted(found, key=lambda one: one.depth)[:most]


def compounded(net_T: Floats, dates: pd.DatetimeIndex, rule: str) -> pd.Series:
    """Compound returns of calendar periods (ME, QE, YE, W-FRI), those that have days."""
    series = pd.Series(1.0 + net_T, index=dates)
    grouped = series.resample(rule)
    return (grouped.prod() - 1.0)[grouped.count() > 0]


def monthly(net_T: Floats, dates: pd.DatetimeIndex) -> tuple[list[str], Floats]:
    """Years as text, and returns by year and month with the whole year last (Y x 13); NaN where no day was."""
    months = compounded(net_T, dates, "ME")
    stamps = pd.DatetimeIndex(months.index)
    years = sorted(set(stamps.year))
    out = np.full((len(years), 13), np.nan)
    for stamp, value in zip(stamps, months.to_numpy(), strict=True):
        out[years.index(stamp.year), stamp.month - 1] = value
    out[:, 12] = compounded(net_T, dates, "YE").to_numpy()
    return [str(year) for year in years], out


def worst_months(market_T: Floats, *, days: int = 21, most: int = 5) -> list[tuple[int, int]]:
    """First and last day of the market's worst windows that do not overlap, the worst first."""
    log_T = np.concatenate([[0.0], np.cumsum(np.log1p(market_T))])
    if len(log_T) <= days:
        return []
    fall = log_T[days:] - log_T[:-days]
    taken: list[tuple[int, int]] = []
    for start in np.argsort(fall):
        if all(start + days <= first or start > last for first, last in taken):
            taken.append((int(start), int(start) + days - 1))
        if len(taken) == most:
            break
    return taken


def named_windows(dates: pd.DatetimeIndex) -> list[tuple[str, int, int]]:
    """Well-known windows that lie wholly within the course: name, first and last day."""
    out = []
    for name, first, last in STRESSES:
        start, end = pd.Timestamp(first), pd.Timestamp(last)
        inside = np.flatnonzero((dates >= start) & (dates <= end))
        if len(inside) > 1 and dates[0] <= start and dates[-1] >= end:
            out.append((name, int(inside[0]), int(inside[-1])))
    return out


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Holdings from the day that a side is taken to the day that it is left: lengths in days and what each earned."""

    days: Floats
    earned: Floats


def round_trips(weights_TN: Floats, returns_TN: Floats) -> RoundTrips:
    """All round trips that have ended; earnings are fractions of the book, before costs."""
    side_TN = np.sign(weights_TN)
    earned_TN = np.zeros_like(weights_TN)
    earned_TN[1:] = weights_TN[:-1] * np.nan_to_num(returns_TN[1:])
    days, earned = [], []
    for asset in np.flatnonzero((side_TN != 0).any(axis=0)):
        turns = np.flatnonzero(np.diff(side_TN[:, asset])) + 1
        total = np.concatenate([[0.0], earned_TN[:, asset].cumsum()])
        for start, end in pairwise(turns):
            if side_TN[start, asset] != 0:
                days.append(end - start)
                earned.append(total[end + 1] - total[start + 1])
    return RoundTrips(np.array(days, dtype=float), np.array(earned))
