"""What books earn day by day, compiled: weights drift, orders fill at closes, costs are paid, the gone are settled.

Shape suffixes: T trading days, N assets, R orders, K columns of a day. The backtest, the tear sheet and the live books'
accounting all run through `advance`: a course cut in pieces gives the bits of the course in one, because all that is
carried from day to day is in `Holdings`. Source: the costs are those of Boyd et al. 2017, section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput
from tournament.portfolio.accounting import COLUMNS, DAYS_A_YEAR
from tournament.portfolio.risk import Floats

GONE_DAYS = 5
"""An asset without a close for so many days is taken as gone."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is carried from one close to the next: money in each asset (N) and the book's value; the rest is cash."""

    money_N: Floats
    value: float = 1.0

    @property
    def weights_N(self) -> Floats:
        """Holdings as fractions of the value; none of a book that is ruined."""
        return self.money_N / self.value if self.value > 0 else np.zeros(len(self.money_N))


@dataclass(frozen=True, slots=True)
class Orders:
    """Books to be traded to: the row of the close at which each is filled (R) and its weights (R x N).

    `impact_RN` is what a trade of money d costs besides its spread: impact x d^(3/2). `left_RN`: what is not traded,
    whatever its weight in the book.
    """

    rows_R: NDArray[np.int64]
    targets_RN: Floats
    impact_RN: Floats | None = None
    left_RN: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """The compiled code reads without checks. Raises BadInput."""
        if self.targets_RN.shape[0] != len(self.rows_R):
            raise BadInput(f"{self.targets_RN.shape[0]} books for {len(self.rows_R)} orders")
        if not np.isfinite(self.targets_RN).all():
            raise BadInput("a book has weights that are no numbers")
        if self.left_RN is not None and self.left_RN.shape != self.targets_RN.shape:
            raise BadInput(f"{self.left_RN.shape} marks of what is left for books of {self.targets_RN.shape}")


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of trading and holding: fractions by asset (N), a year's borrow by asset, cash and delisting.

    An asset without a close for `gone_days` rows is settled.
    """

    spread_N: Floats
    borrow_N: Floats
    cash_per_year: float = 0.0
    delisting_return: float = 0.0
    gone_days: int = GONE_DAYS


@dataclass(frozen=True, slots=True)
class Course:
    """What happened on the days walked through, and what is held at their end."""

    first: int
    days_TK: Floats
    weights_TN: Floats
    trades_TN: Floats
    settled_TN: NDArray[np.bool_]
    end: Holdings

    def column(self, name: str) -> Floats:
        """One column of the days (T)."""
        return np.asarray(self.days_TK[:, COLUMNS.index(name)])


class Asked(NamedTuple):
    """Orders as the compiled code reads them: which order is filled on each day (-1: none), and the books."""

    order_T: NDArray[np.int64]
    targets_RN: Floats
    impact_RN: Floats
    left_RN: NDArray[np.bool_]


class Paid(NamedTuple):
    """Rates as the compiled code reads them, a day's."""

    spread_N: Floats
    borrow_N: Floats
    cash: float
    delisting: float
    gone_days: int


class Told(NamedTuple):
    """What the compiled code fills."""

    days_TK: Floats
    weights_TN: Floats
    trades_TN: Floats
    settled_TN: NDArray[np.bool_]


NO_TABLE = np.empty((0, 0))
NO_MARKS = np.empty((0, 0), dtype=np.bool_)


def advance(
    start: Holdings, close_TN: Floats, orders: Orders, rates: Rates, *, first: int, last: int,
    dividend_TN: Floats | None = None,
) -> Course:  # fmt: skip
    """Walk from the close of row `first` - 1, where `start` is held, to the close of row `last`.

    `close_TN` has every row from the beginning, NaN where an asset had no close; rows after `last` are not read.
    `dividend_TN` are fractions of the day's own close, paid in cash, for closes that are not adjusted for them.
    """
    days, assets = max(0, last - first + 1), close_TN.shape[1]
    order_T = np.full(days, -1, dtype=np.int64)
    inside = np.flatnonzero((orders.rows_R >= first) & (orders.rows_R <= last))
    order_T[orders.rows_R[inside] - first] = inside  # of two books for one close the later counts
    left_RN = NO_MARKS if orders.left_RN is None else np.ascontiguousarray(orders.left_RN)
    asked = Asked(order_T, _table(orders.targets_RN), _table(orders.impact_RN), left_RN)
    paid = Paid(
        rates.spread_N, rates.borrow_N / DAYS_A_YEAR, rates.cash_per_year / DAYS_A_YEAR, rates.delisting_return,
        rates.gone_days,
    )  # fmt: skip
    told = Told(
        np.zeros((days, len(COLUMNS))), np.zeros((days, assets)), np.zeros((days, assets)),
        np.zeros((days, assets), dtype=np.bool_),
    )  # fmt: skip
    money_N = start.money_N.astype(np.float64, copy=True)
    value = _walk(money_N, float(start.value), _table(close_TN), first, asked, paid, _table(dividend_TN), told)
    return Course(first, told.days_TK, told.weights_TN, told.trades_TN, told.settled_TN, Holdings(money_N, value))


def _table(values: Floats | None) -> Floats:
    return NO_TABLE if values is None else np.ascontiguousarray(values, dtype=np.float64)


NOTHING_LEFT = np.empty(0, dtype=np.bool_)
COMPILED = nb.njit(cache=True)
"""Without any licence to reorder: sums are taken in lanes that are written out (`_sum`), so that their bits depend on
the numbers alone, never on where these lie in memory."""


@COMPILED
def _walk(
    money_N: Floats, value: float, close_TN: Floats, first: int, asked: Asked, paid: Paid, dividend_TN: Floats,
    told: Told,
) -> float:  # fmt: skip
    """The days in turn; changes `money_N` and returns the value at the end."""
    last_N, missing_N = _known_before(money_N, close_TN, first)
    traded_N, each_N = np.zeros(len(money_N)), np.zeros(len(money_N))
    for day in range(len(asked.order_T)):
        before, order = value, asked.order_T[day]
        interest = (value - _sum(money_N)) * paid.cash if paid.cash != 0.0 else 0.0
        borrow = _borrow(money_N, paid.borrow_N, each_N)
        earned, gone = _drift(money_N, close_TN[first + day], last_N, missing_N, paid.gone_days, each_N)
        dividend = _dividends(money_N, dividend_TN[first + day]) if len(dividend_TN) else 0.0
        traded_N[:] = 0.0
        lost, spread, impact = 0.0, 0.0, 0.0
        if gone:
            lost, spread = _settle(money_N, missing_N, paid, traded_N, told.settled_TN[day])
        gained = earned + lost + dividend + interest
        value += gained - borrow
        base = value
        if order >= 0 and value > 0.0:
            impact_N = asked.impact_RN[order] if len(asked.impact_RN) else paid.spread_N[:0]
            target_N = asked.targets_RN[order]
            left_N = asked.left_RN[order] if len(asked.left_RN) else NOTHING_LEFT
            _trade(money_N, target_N, value, missing_N, left_N, traded_N, each_N)
            more, impact = _charge(each_N, paid.spread_N, impact_N)
            spread += more
        value -= spread + impact
        if value <= 0.0:  # ruined: nothing is left to hold
            value = 0.0
            money_N[:] = 0.0
        row_K = told.days_TK[day]
        _expose(row_K, money_N, traded_N, value, base, told.weights_TN[day], told.trades_TN[day], each_N)
        row_K[3] = value
        if before > 0.0:
            row_K[0], row_K[1] = gained / before, (spread + impact + borrow) / before
            row_K[2] = value / before - 1.0
            row_K[9], row_K[10], row_K[11] = spread / before, impact / before, borrow / before
            row_K[12], row_K[13] = dividend / before, interest / before
    return value


@COMPILED
def _sum(values_N: Floats) -> float:
    """In eight lanes, which are added at the end, and what is left over."""
    a = b = c = d = e = f = g = h = 0.0
    whole = len(values_N) - len(values_N) % 8
    for k in range(0, whole, 8):
        a += values_N[k]
        b += values_N[k + 1]
        c += values_N[k + 2]
        d += values_N[k + 3]
        e += values_N[k + 4]
        f += values_N[k + 5]
        g += values_N[k + 6]
        h += values_N[k + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for k in range(whole, len(values_N)):
        total += values_N[k]
    return total


@COMPILED
def _known_before(money_N: Floats, close_TN: Floats, first: int) -> tuple[Floats, NDArray[np.int64]]:
    """The newest close before row `first` of what is held, and for how many days it has had none (N)."""
    assets = len(money_N)
    last_N, missing_N = np.full(assets, np.nan), np.zeros(assets, dtype=np.int64)
    for asset in range(assets):
        row = first - 1
        while money_N[asset] != 0.0 and row >= 0 and close_TN[row, asset] != close_TN[row, asset]:
            row -= 1
        if money_N[asset] != 0.0 and row >= 0:
            last_N[asset], missing_N[asset] = close_TN[row, asset], first - 1 - row
    return last_N, missing_N


@COMPILED
def _borrow(money_N: Floats, borrow_N: Floats, each_N: Floats) -> float:
    """What shorts pay for the night before; fills `each_N`."""
    for asset in range(len(money_N)):
        each_N[asset] = max(-money_N[asset], 0.0) * borrow_N[asset]
    return _sum(each_N)


@COMPILED
def _drift(
    money_N: Floats, close_N: Floats, last_N: Floats, missing_N: NDArray[np.int64], gone_days: int, each_N: Floats
) -> tuple[float, int]:
    """Let prices move what is held: what that earns (by asset in `each_N`), and how many holdings are gone.

    A gap's return comes at its end.
    """
    gone = 0
    for asset in range(len(money_N)):
        close, held = close_N[asset], money_N[asset]
        is_there = close == close  # not NaN
        moved = held * (close / last_N[asset]) if is_there and held != 0.0 else held
        each_N[asset] = moved - held
        money_N[asset] = moved
        last_N[asset] = close if is_there else last_N[asset]
        missing_N[asset] = 0 if is_there else missing_N[asset] + 1
        gone += 1 if missing_N[asset] >= gone_days and held != 0.0 else 0
    return _sum(each_N), gone


@COMPILED
def _dividends(money_N: Floats, dividend_N: Floats) -> float:
    """What longs receive and shorts owe, of holdings at the day's close, which is ex dividend."""
    received = 0.0
    for asset in range(len(money_N)):
        share = dividend_N[asset]
        if money_N[asset] != 0.0 and share == share:
            received += money_N[asset] * share
    return received


@COMPILED
def _settle(
    money_N: Floats, missing_N: NDArray[np.int64], paid: Paid, traded_N: Floats, settled_N: NDArray[np.bool_]
) -> tuple[float, float]:
    """End holdings of what is gone, at its last close and the delisting return; what that earns, and its spread."""
    earned = spread = 0.0
    for asset in range(len(money_N)):
        if money_N[asset] != 0.0 and missing_N[asset] >= paid.gone_days:
            earned += money_N[asset] * paid.delisting
            traded_N[asset] = -money_N[asset] * (1.0 + paid.delisting)
            spread += abs(traded_N[asset]) * paid.spread_N[asset]
            money_N[asset], settled_N[asset] = 0.0, True
    return earned, spread


@COMPILED
def _trade(
    money_N: Floats, target_N: Floats, value: float, missing_N: NDArray[np.int64], left_N: NDArray[np.bool_],
    traded_N: Floats, each_N: Floats,
) -> None:  # fmt: skip
    """Trade to the target what has a close today and is not left; fills the sizes of the trades into `each_N`."""
    for asset in range(len(money_N)):
        trade = target_N[asset] * value - money_N[asset] if missing_N[asset] == 0 else 0.0
        if len(left_N) and left_N[asset]:
            trade = 0.0
        money_N[asset] += trade
        traded_N[asset] += trade
        each_N[asset] = abs(trade)


@COMPILED
def _charge(each_N: Floats, spread_N: Floats, impact_N: Floats) -> tuple[float, float]:
    """Spread and impact of trades of these sizes, which it overwrites; no impact where there are no rates of it."""
    impact = 0.0
    for asset in range(len(impact_N)):
        impact += each_N[asset] * np.sqrt(each_N[asset]) * impact_N[asset]
    for asset in range(len(each_N)):
        each_N[asset] *= spread_N[asset]
    return _sum(each_N), impact


@COMPILED
def _expose(
    row_K: Floats, money_N: Floats, traded_N: Floats, value: float, base: float, weights_N: Floats, trades_N: Floats,
    each_N: Floats,
) -> None:  # fmt: skip
    """Fill in exposures and turnover of a day, its weights and its trades (fractions of the value before costs)."""
    share, part = 1.0 / value if value > 0.0 else 0.0, 1.0 / base if base > 0.0 else 0.0
    for asset in range(len(money_N)):
        weights_N[asset] = money_N[asset] * share
        each_N[asset] = abs(weights_N[asset])
    net, gross = _sum(weights_N), _sum(each_N)
    for asset in range(len(money_N)):
        trades_N[asset] = traded_N[asset] * part
        each_N[asset] = abs(trades_N[asset])
    row_K[4], row_K[5], row_K[6] = gross, net, _sum(each_N)
    row_K[7], row_K[8] = (gross + net) / 2.0, (gross - net) / 2.0
