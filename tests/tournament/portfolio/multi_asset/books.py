"""Small markets of several classes: stocks and bonds on weekdays with holidays of their own, coins on every day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tournament.portfolio.multi_asset.alphas import Signals
from tournament.portfolio.multi_asset.config import BookConfig, RiskRules, Rules, TournamentFiles
from tournament.portfolio.multi_asset.instruments import Calendar, Instrument, Panel, Quotes, together

WEEKS, FIRST = 60, np.datetime64("2018-01-01")
RISK = RiskRules(factors=3, window_days=120, half_life_days=60, overlap_days=3, least_days=60)
HOLIDAY = np.datetime64("2018-07-04")
"""A Wednesday without closes of the stocks."""


def quotes(
    group: str, count: int, *, seed: int, volatility: float, calendar: Calendar = Calendar.WEEKDAYS,
    holidays: tuple[np.datetime64, ...] = (), carry: float = 0.0, **about: float,
) -> Quotes:  # fmt: skip
    """Random walks with one common factor."""
    days = np.arange(FIRST, FIRST + 7 * WEEKS)
    if calendar == Calendar.WEEKDAYS:
        days = days[np.is_busday(days)]
    days = days[~np.isin(days, holidays)]
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal((len(days), 1)) + rng.standard_normal((len(days), count))
    index = np.exp(np.cumsum(volatility * moves / np.sqrt(2), axis=0))
    instruments = tuple(Instrument(f"{group}{place}", group, calendar, **about) for place in range(count))
    return Quotes(days, instruments, index, 50.0 * index, np.full(index.shape, 0.001), np.full(index.shape, carry))


def panel() -> Panel:
    """Six stocks, four bonds, three coins."""
    return together(
        [
            quotes("stocks", 6, seed=1, volatility=0.012, holidays=(HOLIDAY,)),
            quotes("bonds", 4, seed=2, volatility=0.004),
            quotes("coins", 3, seed=3, volatility=0.04, calendar=Calendar.EVERY_DAY),
        ]
    )


def config(method: str = "risk_parity", **rules: object) -> BookConfig:
    """A book of these, chosen once a week."""
    return BookConfig(book=Rules(method=method, **rules), risk=RISK)  # type: ignore[arg-type]


def signals(one: Panel, group: str, *, seed: int, standard: str = "relative") -> Signals:
    """Weekly random signals of one group's tournament."""
    signal_TN = np.full(one.index_TN.shape, np.nan)
    rows = np.flatnonzero(one.weekday_T)[::5]
    inside = np.array([name == group for name in one.groups])
    signal_TN[np.ix_(rows, inside)] = np.random.default_rng(seed).standard_normal((len(rows), inside.sum()))
    return Signals(TournamentFiles(name=group, signals="none", standard=standard), signal_TN)


def with_other_future(one: Panel, row: int) -> Panel:
    """The same panel up to a row; other prices, spreads and carry after it."""
    rng = np.random.default_rng(99)
    changed = {}
    for name in ("index_TN", "known_TN", "price_TN", "spread_TN", "carry_TN"):
        values = getattr(one, name).copy()
        values[row + 1 :] *= np.exp(rng.normal(0, 0.05, values[row + 1 :].shape))
        changed[name] = values
    return replace(one, **changed)
