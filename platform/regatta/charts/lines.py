"""Curves over rounds or days, each named at its right end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape

from regatta.charts.figure import Chart, Label, Plot, Table
from regatta.charts.numbers import Write, known, percent, plain
from regatta.charts.scale import CANVAS, Scale, band, nice_ticks, padded, path, spread

LABEL_GAP = 7.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One series; `error` draws a band of two standard errors, `dots` draws points instead of a line."""

    name: str
    values: Sequence[float | None]
    paint: str = "var(--accent)"
    error: Sequence[float | None] | None = None
    dots: bool = False
    filled: bool = False


def lines(
    columns: Sequence[str], curves: Sequence[Curve], *, title: str, caption: str, write: Write = plain,
    precise: Write | None = None, zero: bool = False, ribbon: Sequence[str | None] = (), kind: str = "",
) -> Chart:  # fmt: skip
    """Curves with a common scale. `write` is for axes and labels, `precise` for the table."""
    if len(columns) < 2 or not any(known(value) for curve in curves for value in curve.values):
        return Chart(title)
    low, high = padded(list(_reach(curves)), zero=zero)
    y, canvas = Scale(low, high, 100.0, 0.0), Scale(low, high, CANVAS, 0.0)
    area = "".join(_draw(curve, canvas) for curve in curves)
    behind = f'<line class="zero" x1="0" x2="100%" y1="{y(0):.2f}%" y2="{y(0):.2f}%"/>' if low < 0 < high else ""
    behind += "".join(_dots(curve, y, columns, precise or write) for curve in curves if curve.dots)
    labels = _labels([curve for curve in curves if curve.name and not curve.dots], y, write)
    plot = Plot(title, y, write, columns, caption, labels, ribbon)
    return Chart(title, plot.draw(area, behind=behind), table(columns, curves, ribbon, precise or write), kind)


def shares(curves: Sequence[Curve]) -> Write:
    """How to write per cent on an axis from zero: with the digits that its ticks need."""
    ticks = nice_ticks(*padded(list(_reach(curves)), zero=True))
    exact = (n for n in range(3) if all(math.isclose(100 * tick, round(100 * tick, n), abs_tol=1e-9) for tick in ticks))
    digits = next(exact, 3)
    return lambda value: percent(value, digits)


def table(columns: Sequence[str], curves: Sequence[Curve], ribbon: Sequence[str | None], write: Write) -> Table:
    """The same data as text, with standard errors where there are any."""
    head, cells = ["When"], [list(columns)]
    for curve in curves:
        head.append(curve.name)
        cells.append([write(value) for value in curve.values])
        if curve.error is not None:
            head.append("s.e.")
            cells.append([write(value) for value in curve.error])
    if any(ribbon):
        head.append("Regime")
        cells.append([regime or "–" for regime in ribbon])
    return Table(tuple(head), tuple(zip(*cells, strict=True)))


def _reach(curves: Sequence[Curve]) -> list[float]:
    """Every value that must be inside the scale."""
    out = []
    for curve in curves:
        errors = curve.error or [0.0] * len(curve.values)
        for value, error in zip(curve.values, errors, strict=True):
            if value is not None and math.isfinite(value):
                reach = 2 * error if error is not None and math.isfinite(error) else 0.0
                out += [value - reach, value + reach]
    return out


def _draw(curve: Curve, canvas: Scale) -> str:
    if curve.dots:
        return ""
    below = ""
    if curve.error is not None:
        below = _bands(curve, canvas)
    elif curve.filled:
        values = [0.0 if value is None else value for value in curve.values]
        below = f'<path d="{band([0.0] * len(values), values, canvas)}" fill="{curve.paint}" fill-opacity=".16"/>'
    return f'{below}<path d="{path(curve.values, canvas)}" class="curve" stroke="{curve.paint}"/>'


def _bands(curve: Curve, canvas: Scale) -> str:
    """Two standard errors around each unbroken stretch of the curve."""
    parts: list[str] = []
    stretch: list[tuple[float, float]] = []
    pairs = [*zip(curve.values, curve.error or (), strict=True), (None, None)]
    for place, (value, error) in enumerate(pairs):
        if value is not None and error is not None and math.isfinite(value) and math.isfinite(error):
            stretch.append((value - 2 * error, value + 2 * error))
            continue
        if len(stretch) > 1:
            lows, highs = zip(*stretch, strict=True)
            shape = band(lows, highs, canvas, first=place - len(stretch), count=len(curve.values))
            parts.append(f'<path d="{shape}" fill="{curve.paint}" fill-opacity=".16"/>')
        stretch = []
    return "".join(parts)


def _dots(curve: Curve, y: Scale, columns: Sequence[str], write: Write) -> str:
    step = 100 / (len(columns) - 1)
    return "".join(
        f'<circle class="dot" cx="{place * step:.2f}%" cy="{y(value):.2f}%" r="2.2" fill="{curve.paint}">'
        f"<title>{escape(columns[place])}: {write(value)}</title></circle>"
        for place, value in enumerate(curve.values)
        if value is not None and math.isfinite(value)
    )


def _labels(curves: Sequence[Curve], y: Scale, write: Write) -> list[Label]:
    ends = [next((value for value in reversed(curve.values) if known(value)), None) for curve in curves]
    there = [(curve, end) for curve, end in zip(curves, ends, strict=True) if end is not None]
    places = spread([y(end) for _, end in there], LABEL_GAP, low=3, high=97)
    return [
        Label(curve.name, write(end), place, curve.paint)
        for (curve, end), place in zip(there, places, strict=True)
    ]  # fmt: skip
