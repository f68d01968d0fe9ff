"""What a tear sheet is made of: a course of books with all that it hung on. T days, N assets, R books, S trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.backtest import Backtest, Market, held_into
from tournament.portfolio.config import Execution
from tournament.portfolio.decision import daily_returns
from tournament.portfolio.engine import Course, Orders
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.risk import Floats
from tournament.portfolio.sheet.reasons import waterfall_of


@dataclass(frozen=True, slots=True)
class Trials:
    """How many strategies were tried before this one was shown, and the Sharpe ratios (a day) of those that are known.

    `returns_TS` are results of several strategies over the same periods, for the probability of overfitting.
    """

    count: int = 1
    sharpes_S: Floats = field(default_factory=lambda: np.array([]))
    returns_TS: Floats | None = None
    told: str = ""


@dataclass(frozen=True)
class Record:
    """One course: from a backtest, or the replay of a live book, which is the same to the bit."""

    name: str
    market: Market
    orders: Orders
    course: Course
    costs: Costs
    limits: Limits
    execution: Execution
    expected_risk_R: Floats
    """Forecast volatility of each book, a day."""
    trials: Trials = field(default_factory=Trials)
    contributions: Mapping[str, Floats] = field(default_factory=dict)
    """What each model did for each book (R), where that is known."""
    waterfall: tuple[str, Mapping[str, float]] | None = None
    """An asset and the parts of its weight, where they are known."""
    overlay_R: Floats | None = None
    """What the overlay left of each book, where there is one."""

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """The days of the course."""
        first = self.course.first
        return pd.DatetimeIndex(pd.to_datetime(self.market.dates_T[first : first + len(self.course.days_TK)]))

    @cached_property
    def columns(self) -> list[str]:
        """The days as text."""
        return [f"{day:%Y-%m-%d}" for day in self.dates]

    @cached_property
    def net_T(self) -> Floats:
        """Returns after costs."""
        return self.course.column("net_return")

    @cached_property
    def gross_T(self) -> Floats:
        """Returns before costs."""
        return self.course.column("gross_return")

    @cached_property
    def returns_TN(self) -> Floats:
        """Returns of the assets on the days of the course, those from the close before the first one on."""
        first = self.course.first
        return daily_returns(self.market.close_TN[max(0, first - 6) : first + len(self.net_T)])[min(6, first) :]

    @cached_property
    def market_T(self) -> Floats:
        """The benchmark: the mean return of all assets that have one."""
        known_TN = np.isfinite(self.returns_TN)
        return np.nan_to_num(self.returns_TN).sum(axis=1) / np.maximum(known_TN.sum(axis=1), 1)

    @cached_property
    def forecast_T(self) -> Floats:
        """Volatility that was forecast for each day, of the book held into it; NaN before any."""
        return held_into(self.course, self.orders.rows_R, self.expected_risk_R)

    @property
    def years(self) -> float:
        """Trading days over 252."""
        return len(self.net_T) / DAYS_A_YEAR

    @property
    def book_days(self) -> NDArray[np.int64]:
        """Days of the course on which a book was filled."""
        rows = self.orders.rows_R - self.course.first
        return rows[(rows >= 0) & (rows < len(self.net_T))]


def record_of(done: Backtest, name: str, trials: Trials | None = None) -> Record:
    """The record of a backtest."""
    orders, config = done.orders, done.config
    return Record(
        name, done.market, orders, done.done, config.costs, config.constraints, config.execution,
        np.array(done.expected_risk[: len(orders.rows_R)]), trials or Trials(),
        waterfall=waterfall_of(done.premises),
        overlay_R=np.array(done.scales[: len(orders.rows_R)]) if config.overlay.target_volatility > 0 else None,
    )  # fmt: skip
