"""Scales, ticks and paths shared by all charts. Places are per cent of a drawing's width or height unless said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CANVAS = 1000
"""Side of the stretched canvas that curves are drawn on, in its own units."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` onto places from `start` to `stop`."""

    low: float
    high: float
    start: float = 0.0
    stop: float = 100.0

    def __call__(self, value: float) -> float:
        """The place of a value."""
        span = self.high - self.low
        return self.start + (self.stop - self.start) * ((value - self.low) / span if span else 0.5)

    @property
    def ticks(self) -> list[float]:
        """Round values between the ends."""
        return nice_ticks(self.low, self.high)


def padded(values: Sequence[float], *, zero: bool = False, share: float = 0.06) -> tuple[float, float]:
    """The least and greatest value with some air, with 0 inside if asked for; never an empty span."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    air = (high - low) * share or abs(high) * share or 0.5
    return low - (0.0 if zero and low == 0.0 else air), high + (0.0 if zero and high == 0.0 else air)


def path(ys: Sequence[float | None], scale: Scale) -> str:
    """An SVG path over evenly spaced columns of the canvas, broken where a value is missing."""
    step = CANVAS / max(1, len(ys) - 1)
    parts, pen = [], "M"
    for place, value in enumerate(ys):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        parts.append(f"{pen}{place * step:.0f} {scale(value):.0f}")
        pen = "L"
    return "".join(parts)


def band(lows: Sequence[float], highs: Sequence[float], scale: Scale, *, first: int = 0, count: int = 0) -> str:
    """A closed SVG path between two curves whose first point is column `first` of `count`."""
    step = CANVAS / max(1, (count or len(lows)) - 1)
    there = [f"{(first + place) * step:.0f} {scale(value):.0f}" for place, value in enumerate(highs)]
    back = [f"{(first + place) * step:.0f} {scale(value):.0f}" for place, value in enumerate(lows)]
    return f"M{'L'.join(there)}L{'L'.join(back[::-1])}Z"


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers from low to high."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * k for k in range(first, last + 1)]


def spread(places: Sequence[float], gap: float, *, low: float = 0.0, high: float = 100.0) -> list[float]:
    """The places, in their order, pushed apart to at least `gap` and kept between `low` and `high`."""
    order = sorted(range(len(places)), key=lambda item: places[item])
    out, floor = list(places), low
    for item in order:
        out[item] = floor = max(out[item], floor)
        floor += gap
    ceiling = high
    for item in reversed(order):
        out[item] = ceiling = min(out[item], ceiling)
        ceiling -= gap
    return out
