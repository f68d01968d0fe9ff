"""The same books under other costs, sizes and delays, each replayed by the engine. Suffixes: R books, T days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.backtest import replay
from tournament.portfolio.engine import Course, Orders
from tournament.portfolio.metrics import growth, resamples, sharpe
from tournament.portfolio.risk import Floats
from tournament.portfolio.sheet.record import Record

DELAYS = (0, 1, 2, 3, 5, 10, 20)
SPREADS = (0.0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005)
SIZES = tuple(10.0**power for power in np.arange(5, 11.01, 0.5))
RUIN = 0.01
"""A book that has lost all but this share is not drawn: its ratio says nothing."""
DEAREST = 0.05
"""Half-spread beyond which no break-even is looked for."""


@dataclass(frozen=True, slots=True)
class Swept:
    """One figure at each setting, with its bootstrap standard error."""

    settings: tuple[float, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...]


def delay_decay(record: Record) -> Swept:
    """Sharpe ratio before costs of the same books filled later or earlier; over the days that all of them share.

    A delay of 0 trades at the very close that the book was chosen from: nobody can, but it shows what haste is worth.
    A delay is left out at which fewer than two books are filled (of one book: none), or fewer than two days are left.
    """
    chosen_R, days = record.orders.rows_R - record.execution.delay_days, len(record.market.dates_T)
    least, latest = min(2, len(chosen_R)), days - 3 - int(chosen_R.min())
    usable = [delay for delay in DELAYS if delay <= latest and (chosen_R + delay < days).sum() >= least]
    first = int(chosen_R.min()) + max(usable, default=0) + 1
    earned = [_replayed(record, rows_R=chosen_R + delay, first=first).column("gross_return") for delay in usable]
    return _swept(tuple(map(float, usable)), earned, sharpe)


def spread_sweep(record: Record) -> Swept:
    """Net return a year at other half-spreads."""
    return _swept(SPREADS, [_net(record, spread) for spread in SPREADS], growth)


def break_even(record: Record) -> float:
    """The half-spread at which the mean net return is zero; 0 where none is earned, NaN above DEAREST."""

    def left(spread: float) -> float:
        return float(_net(record, spread).mean())

    if left(0.0) <= 0:
        return 0.0
    return float(brentq(left, 0.0, DEAREST, xtol=1e-7)) if left(DEAREST) < 0 else float("nan")


def size_sweep(record: Record) -> Swept | None:
    """Net Sharpe ratio at other sizes of the book; None where prices come without volumes."""
    if record.orders.impact_RN is None:
        return None
    return _swept(SIZES, [_at_size(record, size) for size in SIZES], sharpe)


def capacity(record: Record) -> float:
    """The size at which impact has halved the net Sharpe ratio; NaN without volumes or with nothing to halve.

    A ratio that is not above its own standard error is nothing.
    """
    if record.orders.impact_RN is None:
        return float("nan")
    free = float(sharpe(_at_size(record, 0.0), DAYS_A_YEAR))
    error = np.sqrt(DAYS_A_YEAR / len(record.net_T))

    def above_half(power: float) -> float:
        left = float(sharpe(_at_size(record, 10.0**power), DAYS_A_YEAR))
        return (left if np.isfinite(left) else -1.0) - free / 2

    if not free > error or above_half(2.0) <= 0 or above_half(13.0) >= 0:
        return float("nan")
    return float(10.0 ** brentq(above_half, 2.0, 13.0, xtol=1e-2))


def delisting_sweep(record: Record) -> Swept:
    """Net return a year were holdings in the gone settled at a loss of so much."""
    settings = (0.0, -0.3, -1.0)
    earned = [_replayed(record, delisting=loss).column("net_return") for loss in settings]
    return _swept(settings, earned, growth)


def _net(record: Record, spread: float) -> Floats:
    return _replayed(record, spread=spread).column("net_return")


def _at_size(record: Record, size: float) -> Floats:
    scale = np.sqrt(size / record.execution.capital)
    scaled = replace(record.orders, impact_RN=scale * np.asarray(record.orders.impact_RN))
    course = replay(record.market, scaled, record.costs, record.execution, first=record.course.first)
    net_T = course.column("net_return")
    return net_T if course.end.value > RUIN else np.full(len(net_T), np.nan)


def _replayed(
    record: Record, *, spread: float | None = None, rows_R: np.ndarray | None = None, first: int | None = None,
    delisting: float | None = None,
) -> Course:  # fmt: skip
    costs = record.costs if spread is None else replace(record.costs, half_spread=spread)
    execution = record.execution if delisting is None else replace(record.execution, delisting_return=delisting)
    orders = record.orders if rows_R is None else Orders(rows_R, record.orders.targets_RN, record.orders.impact_RN)
    start = record.course.first if rows_R is None else int(rows_R.min())
    course = replay(record.market, orders, costs, execution, first=start)
    if first is None:
        return course
    skip = first - start
    return replace(course, first=first, days_TK=course.days_TK[skip:])


def _swept(settings: tuple[float, ...], earned: list[Floats], of: Callable[[Floats, float], Floats]) -> Swept:
    """Values and errors; the same resamples for all settings, so that differences can be read."""
    rows_BT = resamples(len(earned[0]), draws=60)
    values = tuple(float(of(one, DAYS_A_YEAR)) for one in earned)
    errors = tuple(
        float(np.std(of(one[rows_BT], DAYS_A_YEAR), ddof=1)) if np.isfinite(value) else float("nan")
        for one, value in zip(earned, values, strict=True)
    )
    return Swept(settings, values, errors)
