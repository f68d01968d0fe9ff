"""Stop-loss and take-profit of every position: which are closed on a day, at what price, and what a holding then earns.

Shape suffixes: T days, N assets. Off unless levels are given. Under a random walk a stop only lowers the expected
return; it needs momentum or turning regimes to pay (Kaminski & Lo 2014, propositions 1 to 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadConfig, Fault
from tournament.portfolio.overlay.settings import Floats

NEVER = 1e9
"""A level that no price reaches."""


@dataclass(frozen=True, slots=True)
class Stops:
    """Levels as fractions: loss and gain since the entry, loss since the best price since then (trailing); 0: none.

    `slippage` is lost on what is closed by a stop, not by a take-profit, which waits at its price.
    """

    loss: float = 0.0
    gain: float = 0.0
    trailing: float = 0.0
    slippage: float = 0.001

    def __post_init__(self) -> None:
        """Raises BadConfig where a level is no fraction."""
        for name in ("loss", "gain", "trailing", "slippage"):
            if not 0.0 <= getattr(self, name) < (10.0 if name == "gain" else 1.0):
                raise BadConfig(Fault("out_of_range", f"stops: {name} is {getattr(self, name)}", "give a fraction"))


@dataclass(frozen=True, slots=True)
class Prices:
    """A day's open, high and low (N); an asset without them keeps its position that day."""

    open_N: Floats
    high_N: Floats
    low_N: Floats


def exits(side_N: Floats, entry_N: Floats, best_N: Floats, prices: Prices, stops: Stops) -> Floats:
    """The price at which each position is closed that day; NaN: it is kept. `side_N` is +1 long, -1 short, 0 none.

    A stop is filled at its level or, where the day opened beyond it, at the open, less slippage. Where a day reaches
    both levels the loss is taken to have come first. `best_N` is the most favourable price before the day.
    """
    long_N = side_N > 0
    worst_N, kindest_N = np.where(long_N, prices.low_N, prices.high_N), np.where(long_N, prices.high_N, prices.low_N)
    stop_N, take_N = _stop_level(side_N, entry_N, best_N, stops), entry_N * (1.0 + side_N * (stops.gain or NEVER))
    with np.errstate(invalid="ignore"):
        hit_N = side_N * (worst_N - stop_N) <= 0
        reached_N = side_N * (kindest_N - take_N) >= 0
    lost_N = side_N * np.minimum(side_N * prices.open_N, side_N * stop_N) * (1.0 - side_N * stops.slippage)
    taken_N = side_N * np.maximum(side_N * prices.open_N, side_N * take_N)
    closed_N = np.where(hit_N, lost_N, np.where(reached_N, taken_N, np.nan))
    return np.where(side_N != 0, closed_N, np.nan)


def _stop_level(side_N: Floats, entry_N: Floats, best_N: Floats, stops: Stops) -> Floats:
    """The nearer of the two stops; infinitely far where neither is set."""
    fixed_N = entry_N * (1.0 - side_N * (stops.loss or NEVER))
    trailing_N = best_N * (1.0 - side_N * (stops.trailing or NEVER))
    return np.asarray(side_N * np.maximum(side_N * fixed_N, side_N * trailing_N))


@dataclass(frozen=True, slots=True)
class Held:
    """What a holding earned day by day, as fractions of its first value, and which positions were closed early (N)."""

    earned_T: Floats
    closed_N: NDArray[np.bool_]


def hold(
    weight_N: Floats, entry_N: Floats, open_TN: Floats, high_TN: Floats, low_TN: Floats, close_TN: Floats, stops: Stops
) -> Held:  # fmt: skip
    """A book bought at `entry_N` and kept through T days; what is closed stays in cash until the next book.

    NaN in a close: the position is valued at its last price.
    """
    side_N, last_N, best_N = np.sign(weight_N), entry_N.copy(), entry_N.copy()
    shares_N = np.divide(weight_N, entry_N, out=np.zeros_like(weight_N), where=np.isfinite(entry_N) & (entry_N > 0))
    side_N, earned_T, closed_N = (
        np.where(shares_N != 0, side_N, 0.0),
        np.zeros(len(close_TN)),
        np.zeros(len(side_N), bool),
    )
    for day, close_N in enumerate(close_TN):
        fill_N = exits(side_N, entry_N, best_N, Prices(open_TN[day], high_TN[day], low_TN[day]), stops)
        out_N = np.isfinite(fill_N)
        value_N = np.where(out_N, fill_N, np.where(np.isfinite(close_N), close_N, last_N))
        live_N = side_N != 0
        earned_T[day] = (shares_N[live_N] * (value_N - last_N)[live_N]).sum()
        closed_N |= out_N
        side_N, last_N = np.where(out_N, 0.0, side_N), value_N
        best_N = side_N * np.maximum(side_N * best_N, side_N * value_N)
    return Held(earned_T, closed_N)
