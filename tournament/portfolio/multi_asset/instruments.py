"""What a book needs to know of each thing that it may hold, and all of them on one calendar.

Shape suffixes: T rows of the joint calendar, D rows of one market's own, N instruments. A return is that of one unit of
money held in an instrument, in excess of nothing: what it costs to hold that money is carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault
from tournament.portfolio.risk import Floats

DAYS_OF_CARRY = 365.0
"""Carry accrues by the calendar day, over nights and weekends."""
A_YEAR = {"weekdays": 365.25 * 5 / 7, "every_day": 365.25}


class Calendar(StrEnum):
    """The days on which an instrument may trade at all; holidays show as days without a close."""

    WEEKDAYS = "weekdays"
    EVERY_DAY = "every_day"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing to hold. `multiplier` is what one contract is worth per point of its price, in the book's money.

    `borrow_per_year` is paid by shorts alone, as a fraction of their value.
    """

    id: str
    group: str
    calendar: Calendar = Calendar.WEEKDAYS
    multiplier: float = 1.0
    borrow_per_year: float = 0.0


@dataclass(frozen=True, slots=True)
class Quotes:
    """Instruments of one market on its own days; NaN where there was no close.

    `index_DN` grows by the returns of money held in them, `price_DN` is what one unit was quoted at, `spread_DN` the
    half-spread as a fraction of it, `carry_DN` what a long earns (a short pays) a year, known on that day.
    """

    dates_D: NDArray[np.datetime64]
    instruments: tuple[Instrument, ...]
    index_DN: Floats
    price_DN: Floats
    spread_DN: Floats
    carry_DN: Floats

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet and days out of order. Raises BadInput."""
        shape, faults = (len(self.dates_D), len(self.instruments)), []
        for name in ("index_DN", "price_DN", "spread_DN", "carry_DN"):
            if getattr(self, name).shape != shape:
                faults.append(Fault("shape", f"{name} is {getattr(self, name).shape}; expected {shape}"))
        if (np.diff(self.dates_D.astype("int64")) <= 0).any():
            faults.append(Fault("dates", "days are not strictly increasing", "sort them"))
        if faults:
            raise BadInput(faults)


@dataclass(frozen=True, slots=True)
class Panel:
    """All instruments on the days on which any of them traded. `carry_TN` is what a row pays on what is held into it.

    `known_TN` is the index at its newest close so far, `price_TN` and `spread_TN` likewise; rows after t say nothing
    of row t.
    """

    dates_T: NDArray[np.datetime64]
    instruments: tuple[Instrument, ...]
    index_TN: Floats
    known_TN: Floats
    price_TN: Floats
    spread_TN: Floats
    carry_TN: Floats

    @property
    def ids(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(one.id for one in self.instruments)

    @property
    def groups(self) -> tuple[str, ...]:
        """Group of each instrument."""
        return tuple(one.group for one in self.instruments)

    @property
    def weekday_T(self) -> NDArray[np.bool_]:
        """Rows that are no Saturday or Sunday."""
        return np.asarray(np.is_busday(self.dates_T.astype("datetime64[D]")))

    @property
    def every_day_N(self) -> NDArray[np.bool_]:
        """Instruments that trade on weekends too."""
        return np.array([one.calendar == Calendar.EVERY_DAY for one in self.instruments])

    @property
    def rows_a_year(self) -> float:
        """Rows of the joint calendar in a year, by what its instruments' calendars promise."""
        return A_YEAR["every_day" if self.every_day_N.any() else "weekdays"]

    @property
    def steps_a_year(self) -> float:
        """Days of the whole book in a year."""
        return A_YEAR["every_day" if self.every_day_N.all() else "weekdays"]

    @property
    def steps_T(self) -> NDArray[np.bool_]:
        """Rows that are days of the whole book: weekdays where anything is bound to them, else all."""
        return np.ones(len(self.dates_T), dtype=bool) if self.every_day_N.all() else self.weekday_T

    def may_trade(self, row: int) -> NDArray[np.bool_]:
        """Instruments whose calendar, known long before, has the day of a row (N)."""
        return np.asarray(self.every_day_N | bool(self.weekday_T[row]))


def together(markets: Sequence[Quotes]) -> Panel:
    """One panel of several markets, on the union of their days. Raises BadInput when two share a name."""
    names = [one.id for market in markets for one in market.instruments]
    again = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if again:
        message = f"{len(again)} instruments are in more than one market"
        raise BadInput(Fault("repeated", message, "give each a name of its own", tuple(again[:3])))
    dates_T = np.unique(np.concatenate([market.dates_D for market in markets]))
    wide = {name: _joined(markets, dates_T, name) for name in ("index_DN", "price_DN", "spread_DN", "carry_DN")}
    index_TN, spread_TN = wide["index_DN"], _newest(wide["spread_DN"])
    return Panel(
        dates_T, tuple(one for market in markets for one in market.instruments), index_TN, _newest(index_TN),
        _newest(wide["price_DN"]), np.nan_to_num(spread_TN), accrued(dates_T, index_TN, wide["carry_DN"]),
    )  # fmt: skip


def accrued(dates_T: NDArray[np.datetime64], index_TN: Floats, rate_TN: Floats) -> Floats:
    """Carry booked at each close, for the calendar days since the instrument's close before (T x N).

    At the newest rate known then, as a fraction of what is held; 0 on rows without a close.
    """
    closed_TN = np.isfinite(index_TN)
    day_T = dates_T.astype("datetime64[D]").astype(np.int64).astype(float)
    since_TN = _newest(np.where(closed_TN, day_T[:, None], np.nan))
    rate_TN = np.nan_to_num(_newest(rate_TN))
    carry_TN = np.zeros(index_TN.shape)
    carry_TN[1:] = rate_TN[:-1] * np.nan_to_num(day_T[1:, None] - since_TN[:-1]) / DAYS_OF_CARRY
    return np.where(closed_TN, carry_TN, 0.0)


def until(panel: Panel, row: int) -> Panel:
    """The panel as it was known at the close of a row."""
    cut = {one.name: getattr(panel, one.name)[: row + 1] for one in fields(panel) if one.name.endswith(("_T", "_TN"))}
    return Panel(instruments=panel.instruments, **cut)


def _joined(markets: Sequence[Quotes], dates_T: NDArray[np.datetime64], name: str) -> Floats:
    parts = []
    for market in markets:
        part = np.full((len(dates_T), len(market.instruments)), np.nan)
        part[np.searchsorted(dates_T, market.dates_D)] = getattr(market, name)
        parts.append(part)
    return np.concatenate(parts, axis=1)


def _newest(values_TN: Floats) -> Floats:
    return np.asarray(pd.DataFrame(values_TN).ffill().to_numpy())
