"""Scales and paths shared by all charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `low` to `high` onto pixels from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low
        return self.start + (self.stop - self.start) * ((value - self.low) / span if span else 0.5)


def points(xs: Sequence[float], ys: Sequence[float]) -> str:
    """An SVG point list."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers from low to high."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** int(f"{raw:e}".split("e")[1])
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    first = int(low / step) - 1
    return [step * k for k in range(first, first + count * 3 + 4) if low - 1e-12 <= step * k <= high + 1e-12]


def signed(value: float, digits: int = 4) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")
