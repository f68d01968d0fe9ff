"""A signal traded through history: known at a close, traded at a later one, held with its costs day by day.

Shape suffixes: T trading days, N assets, U assets that may be held, R books. A book chosen for day t reads closes,
volumes and signals up to t only; with a delay of one it is traded at the close of t + 1 and earns from t + 2 on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.errors import Infeasible
from tournament.portfolio.accounting import COLUMNS
from tournament.portfolio.config import BacktestConfig, Execution
from tournament.portfolio.decision import Estimate, estimate, recent_returns
from tournament.portfolio.engine import Course, Holdings, Orders, advance
from tournament.portfolio.frictions import impact_of, rates_of
from tournament.portfolio.limits import Costs
from tournament.portfolio.premises import Premises
from tournament.portfolio.rebalance import alpha_from_signal, rebalance
from tournament.portfolio.risk import Floats


@dataclass(frozen=True, slots=True)
class Market:
    """Closes, and the signal on the days that have one; NaN where there is none. `beta_TN` replaces estimated betas.

    `volume_TN` is money traded a day; `dividend_TN` fractions of the day's close, for closes not adjusted for them.
    """

    dates_T: NDArray[np.datetime64]
    ids: tuple[str, ...]
    close_TN: Floats
    signal_TN: Floats
    beta_TN: Floats | None = None
    volume_TN: Floats | None = None
    dividend_TN: Floats | None = None
    sectors: tuple[str, ...] | None = None


@dataclass(slots=True)
class Backtest:
    """The books that were chosen, and what they did."""

    market: Market
    config: BacktestConfig
    decided: list[int] = field(default_factory=list)
    """Row at whose close each book was chosen."""
    targets: list[Floats] = field(default_factory=list)
    impacts: list[Floats | None] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    """What the overlay left of each book."""
    expected_risk: list[float] = field(default_factory=list)
    """Forecast volatility of each book, a day."""
    premises: Premises | None = None
    """What the newest book was chosen from."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    course: Course | None = None

    @property
    def done(self) -> Course:
        """What happened from the first fill on."""
        if self.course is None:
            raise Infeasible("no day had a book")
        return self.course

    @property
    def orders(self) -> Orders:
        """Every book with the close at which it is filled, and its impact."""
        return self.orders_from(0)

    def orders_from(self, row: int) -> Orders:
        """The books filled at `row` or later; those whose fill would come after the last close are left out."""
        delay = self.config.execution.delay_days
        first = bisect_left(self.decided, row - delay)
        last = bisect_left(self.decided, len(self.market.dates_T) - delay)
        targets, impacts = self.targets[first:last], [one for one in self.impacts[first:last] if one is not None]
        targets_RN = np.array(targets).reshape(-1, len(self.market.ids))
        rows_R = np.array(self.decided[first:last], dtype=np.int64) + delay
        return Orders(rows_R, targets_RN, np.array(impacts) if impacts else None)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The days walked through."""
        first = self.done.first
        return pd.DatetimeIndex(pd.to_datetime(self.market.dates_T[first : first + len(self.done.days_TK)]))

    @property
    def settled(self) -> list[tuple[str, str]]:
        """Date and id of holdings that were settled at their last close because the asset had stopped trading."""
        rows, columns = np.nonzero(self.done.settled_TN)
        return [
            (str(self.dates[int(row)].date()), self.market.ids[column])
            for row, column in zip(rows, columns, strict=True)
        ]

    def positions(self) -> pd.DataFrame:
        """date, id, weight of every position held at a close."""
        return self._long(self.done.weights_TN, "weight")

    def trades(self) -> pd.DataFrame:
        """date, id, trade: money traded at a close, as a fraction of the book before its costs."""
        return self._long(self.done.trades_TN, "trade")

    def nav(self) -> pd.DataFrame:
        """One row a day from the first fill on."""
        return pd.DataFrame({"date": self.dates, **dict(zip(COLUMNS, self.done.days_TK.T, strict=True))})

    def forecasts(self) -> Floats:
        """Volatility that was forecast for each day walked through, of the book held into it (T); NaN before any."""
        return held_into(self.done, self.orders.rows_R, np.array(self.expected_risk))

    def _long(self, values_TN: Floats, name: str) -> pd.DataFrame:
        rows, columns = np.nonzero(values_TN)
        ids = np.array(self.market.ids, dtype=object)[columns]
        return pd.DataFrame({"date": self.dates[rows], "id": ids, name: values_TN[rows, columns]})


def run(market: Market, config: BacktestConfig, *, tell: Callable[[int], object] = lambda day: None) -> Backtest:
    """Trade the signal; a day that has no book is noted and keeps its holdings. Raises Infeasible if no day had one."""
    made = Backtest(market, config)
    days = signal_rows(market, config.execution)
    held, row, delay = Holdings(np.zeros(len(market.ids))), int(days[0]), config.execution.delay_days
    for day in map(int, days):
        held = _walk(made, held, first=row + 1, last=day).end
        row = day
        _choose(made, held.weights_N, day)
        tell(day)
    if not made.decided:
        raise Infeasible(f"no day had a book; the first, {made.refused[0][0]}: {made.refused[0][1]}")
    start = Holdings(np.zeros(len(market.ids)))
    made.course = _walk(made, start, first=made.decided[0] + delay, last=len(market.dates_T) - 1)
    return made


def replay(
    market: Market, orders: Orders, costs: Costs, execution: Execution, *, first: int | None = None
) -> Course:  # fmt: skip
    """Books that are known already, from the first fill (or row `first`) to the last close, from cash."""
    start = Holdings(np.zeros(len(market.ids)))
    first = int(orders.rows_R.min()) if first is None else first
    rates, last = rates_of(len(market.ids), costs, execution), len(market.dates_T) - 1
    return advance(start, market.close_TN, orders, rates, first=first, last=last, dividend_TN=market.dividend_TN)


def held_into(course: Course, rows_R: NDArray[np.int64], values_R: Floats) -> Floats:
    """A book's figure on every day that it is held into (T): from the day after its fill to that of the next one."""
    day_T = course.first + np.arange(len(course.days_TK))
    book_T = np.searchsorted(rows_R, day_T, side="left") - 1
    return np.where(book_T >= 0, values_R[: len(rows_R)][np.maximum(book_T, 0)], np.nan)


def signal_rows(market: Market, execution: Execution) -> NDArray[np.intp]:
    """Rows that have a signal and a later close for it to be traded at."""
    return np.flatnonzero(np.isfinite(market.signal_TN[: -execution.delay_days]).any(axis=1))


def _walk(made: Backtest, held: Holdings, *, first: int, last: int) -> Course:
    market, orders = made.market, made.orders_from(first)
    rates = rates_of(len(market.ids), made.config.costs, made.config.execution)
    return advance(held, market.close_TN, orders, rates, first=first, last=last, dividend_TN=market.dividend_TN)


def _choose(made: Backtest, weights_N: Floats, day: int) -> None:
    """The book for a later close, from what was known at the close of `day`; a refusal is noted."""
    market, config = made.market, made.config
    past_TN = recent_returns(market.close_TN[: day + 1], config.risk)
    enough = np.isfinite(past_TN).sum(axis=0) >= min(config.risk.least_days, max(2, len(past_TN) - 1))
    here_U = np.flatnonzero(np.isfinite(market.signal_TN[day]) & np.isfinite(market.close_TN[day]) & enough)
    date = str(market.dates_T[day])
    if len(here_U) < 2:
        made.refused.append((date, f"{len(here_U)} assets have a signal, a close and enough history"))
        return
    known = estimate(market.close_TN[: day + 1], here_U, config.risk)
    scale_U = config.signal.expected_corr * known.volatility_U * np.sqrt(config.signal.horizon_days)
    premises = Premises(
        tuple(market.ids[column] for column in here_U),
        alpha_from_signal(market.signal_TN[day, here_U], scale_U, corr=1.0), scale_U, known.risk, weights_N[here_U],
        config.constraints, config.costs, _beta(market, known, here_U, day),
    )  # fmt: skip
    try:
        book = rebalance(
            premises.alpha_N, known.risk, premises.previous_N, config.constraints, config.costs, beta_N=premises.beta_N
        )
    except Infeasible as refusal:
        made.refused.append((date, str(refusal)))
        return
    target_N, scale = np.zeros(len(market.ids)), _scale(book.risk_per_year, config.overlay.target_volatility)
    target_N[here_U] = book.weights_N * scale
    made.scales.append(scale)
    made.decided.append(day)
    made.premises = premises
    made.targets.append(target_N)
    volume_TN = None if market.volume_TN is None else market.volume_TN[: day + 1]
    made.impacts.append(impact_of(market.close_TN[: day + 1], volume_TN, config.execution))
    made.expected_risk.append(scale * np.sqrt(known.risk.variance(book.weights_N)))


def _scale(risk_per_year: float, target: float) -> float:
    return 1.0 if target <= 0 or risk_per_year <= target else target / risk_per_year


def _beta(market: Market, known: Estimate, here_U: NDArray[np.intp], day: int) -> Floats:
    """Given betas where there are any, else the estimated ones."""
    if market.beta_TN is None:
        return known.beta_U
    given_U = market.beta_TN[day, here_U]
    return np.where(np.isfinite(given_U), given_U, known.beta_U)
