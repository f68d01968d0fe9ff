"""Small drawings as SVG that stretch without their letters: lines, bars, cells. Colours are CSS variables of the page.

Places are per cent of the area; curves lie on a stretched canvas of 1000 x 1000. Values that are no numbers are gaps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from tournament.portfolio.risk import Floats

POINTS, CANVAS = 400, 1000
PAINTS = ("var(--accent)", "var(--second)", "var(--third)", "var(--fourth)", "var(--fifth)", "var(--soft)")
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Curve:
    """One series over the columns; `below` is the other edge of a band, `filled` fills to zero."""

    name: str
    values_T: Floats
    paint: str = PAINTS[0]
    below_T: Floats | None = None
    filled: bool = False
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value stands between two ends, in per cent from above; `log` for values that grow by factors."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Per cent from above."""
        low, high, at = (
            (math.log(x) for x in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return 100.0 * (1.0 - (at - low) / (high - low))

    @property
    def ticks(self) -> list[float]:
        """Three to six round values inside."""
        if self.log:
            return [
                t
                for t in (0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100)
                if self.low <= t <= self.high
            ]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 2.5))
        step *= next(k for k in (1, 2, 5, 10) if (self.high - self.low) / (step * k) <= 5)
        return [k * step for k in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def percent(value: float, digits: int = 0) -> str:
    """A fraction as per cent, with a true minus sign."""
    return "–" if not math.isfinite(value) else f"{100 * value:.{digits}f} %".replace("-", "−").replace("−0 %", "0 %")


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus sign; a dash where there is none."""
    return "–" if not math.isfinite(value) else f"{value:.{digits}f}".replace("-", "−")


def lines(
    columns: Sequence[str], curves: Sequence[Curve], *, write: Write = number, zero: bool = False, log: bool = False,
    shaded: Sequence[tuple[int, int]] = (), height: int = 190, label: str = "",
) -> str:  # fmt: skip
    """Curves over dates. `shaded` are spans of columns that are laid under them."""
    scale = _scale([v for c in curves for v in (c.values_T, c.below_T) if v is not None], zero=zero, log=log)
    if scale is None or len(columns) < 2:
        return '<p class="none">Too short to be drawn yet.</p>'
    last = len(columns) - 1
    under = "".join(
        f'<rect class="span" x="{100 * a / last:.2f}%" width="{100 * max(b - a, 1) / last:.2f}%" y="0" height="100%"/>'
        for a, b in shaded
    )
    drawn = "".join(_curve(curve, scale) for curve in curves)
    canvas = f'<svg viewBox="0 0 {CANVAS} {CANVAS}" preserveAspectRatio="none" width="100%" height="100%">{drawn}</svg>'
    return _frame(under + _grid(scale, write) + canvas, _ends(columns), height, label) + _key(curves, write)


def bars(
    names: Sequence[str], values: Sequence[float], *, write: Write = number, height: int = 170, label: str = "",
    errors: Sequence[float] = (),
) -> str:  # fmt: skip
    """A bar a name, those below zero in the colour of loss; whiskers of two standard errors where given."""
    reach = [np.array(values, dtype=float)]
    if len(errors):
        reach += [reach[0] - 2 * np.nan_to_num(errors), reach[0] + 2 * np.nan_to_num(errors)]
    scale = _scale(reach, zero=True)
    if scale is None:
        return '<p class="none">Nothing to draw yet.</p>'
    step, drawn = 100.0 / len(values), []
    for place, value in enumerate(values):
        if math.isfinite(value):
            top, bottom = sorted((scale.place(value), scale.place(0.0)))
            kind = "loss" if value < 0 else "gain"
            tip = escape(f"{names[place]}: {write(value)}")
            drawn.append(
                f'<rect class="{kind}" x="{(place + 0.12) * step:.2f}%" width="{0.76 * step:.2f}%" y="{top:.2f}%" '
                f'height="{bottom - top:.2f}%"><title>{tip}</title></rect>'
            )
            if len(errors) and math.isfinite(errors[place]):
                ends = [scale.place(value + sign * 2 * errors[place]) for sign in (1, -1)]
                x = f"{(place + 0.5) * step:.2f}%"
                drawn.append(f'<line class="whisker" x1="{x}" x2="{x}" y1="{ends[0]:.2f}%" y2="{ends[1]:.2f}%"/>')
    few = names if len(names) <= 10 else _thinned(names)
    return _frame(_grid(scale, write) + "".join(drawn), _ends(few, centred=len(names) <= 10), height, label)


def boxes(names: Sequence[str], samples: Sequence[Floats], *, write: Write = percent, label: str = "") -> str:
    """Quantiles of samples: 5 to 95 % as a line, the middle half as a box, the median across."""
    marks = [np.quantile(one, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(one) > 4 else np.full(5, np.nan) for one in samples]
    scale = _scale(marks, zero=True)
    if scale is None:
        return '<p class="none">Nothing to draw yet.</p>'
    step, drawn = 100.0 / len(names), []
    for place, five in enumerate(marks):
        if np.isfinite(five).all():
            low, first, middle, third, high = (scale.place(float(value)) for value in five)
            x = f"{(place + 0.5) * step:.2f}%"
            drawn.append(
                f'<line class="whisker" x1="{x}" x2="{x}" y1="{high:.2f}%" y2="{low:.2f}%"/><rect class="box" '
                f'x="{(place + 0.3) * step:.2f}%" width="{0.4 * step:.2f}%" y="{third:.2f}%" '
                f'height="{max(first - third, 0.6):.2f}%"/><line class="median" x1="{(place + 0.3) * step:.2f}%" '
                f'x2="{(place + 0.7) * step:.2f}%" y1="{middle:.2f}%" y2="{middle:.2f}%"/>'
            )
    return _frame(_grid(scale, write) + "".join(drawn), _ends(names, centred=True), 190, label)


def heat(rows: Sequence[str], columns: Sequence[str], values: Floats, *, write: Write, label: str) -> str:
    """A table whose cells are tinted by their values (rows x columns)."""
    most = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>" + "".join(_cell(value, most, write) for value in line) + "</tr>"
        for name, line in zip(rows, values, strict=True)
    )
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(label)}'><table class='heat'>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(value: float, most: float, write: Write) -> str:
    if not math.isfinite(value):
        return "<td></td>"
    shade = round(9 * min(1.0, abs(value) / most)) if most > 0 else 0
    kind = f" class='{'l' if value < 0 else 'g'}{shade}'" if shade else ""
    return f"<td{kind}>{write(value)}</td>"


def _scale(series: Sequence[Floats], *, zero: bool = False, log: bool = False) -> Scale | None:
    values = np.concatenate([np.ravel(one) for one in series]) if series else np.array([])
    values = values[np.isfinite(values)]
    values = values[values > 0] if log else values
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if log:
        return Scale(low / 1.05, high * 1.05, log=True)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return Scale(low - room * (low != 0 or not zero), high + room)


def _curve(curve: Curve, scale: Scale) -> str:
    kept = _picked(len(curve.values_T))
    step = CANVAS / (len(curve.values_T) - 1)
    faint = ' stroke-opacity=".45"' if curve.faint else ""
    out = ""
    if curve.below_T is not None:
        out = _area(curve, scale, kept, step, curve.below_T)
    elif curve.filled:
        out = _area(curve, scale, kept, step, np.zeros(len(curve.values_T)))
    return f'{out}<path class="curve" d="{_path(curve.values_T, scale, kept, step)}" stroke="{curve.paint}"{faint}/>'


def _area(curve: Curve, scale: Scale, kept: Sequence[int], step: float, other_T: Floats) -> str:
    there = [k for k in kept if math.isfinite(curve.values_T[k]) and math.isfinite(other_T[k])]
    if len(there) < 2:
        return ""
    edge = [(k, curve.values_T[k]) for k in there] + [(k, other_T[k]) for k in reversed(there)]
    dots = "L".join(f"{k * step:.0f} {10 * scale.place(float(value)):.0f}" for k, value in edge)
    return f'<path d="M{dots}Z" fill="{curve.paint}" fill-opacity=".15"/>'


def _path(values_T: Floats, scale: Scale, kept: Sequence[int], step: float) -> str:
    parts, pen = [], "M"
    for k in kept:
        value = float(values_T[k])
        if math.isfinite(value) and not (scale.log and value <= 0):
            parts.append(f"{pen}{k * step:.0f} {10 * scale.place(value):.0f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def _picked(count: int) -> list[int]:
    """At most POINTS of the columns, the last one among them."""
    stride = max(1, math.ceil(count / POINTS))
    return sorted({*range(0, count, stride), count - 1})


def _grid(scale: Scale, write: Write) -> str:
    return "".join(
        f'<line class="{"zero" if tick == 0 else "tick"}" x1="0" x2="100%" y1="{scale.place(tick):.2f}%" '
        f'y2="{scale.place(tick):.2f}%"/><text x="-7" y="{scale.place(tick):.2f}%" dy=".33em" '
        f'text-anchor="end">{write(tick)}</text>'
        for tick in scale.ticks
    )


def _frame(area: str, foot: str, height: int, label: str) -> str:
    name = f' role="img" aria-label="{escape(label)}"' if label else ' aria-hidden="true"'
    return f'<svg class="sheet" width="100%" height="{height}"{name}>{area}</svg>{foot}'


def _ends(names: Sequence[str], *, centred: bool = False) -> str:
    if centred:
        return f'<p class="below even">{"".join(f"<span>{escape(name)}</span>" for name in names)}</p>'
    shown = (names[0], names[len(names) // 2], names[-1]) if len(names) > 2 else names
    return f'<p class="below">{"".join(f"<span>{escape(name)}</span>" for name in shown)}</p>'


def _thinned(names: Sequence[str]) -> list[str]:
    return [names[0], names[len(names) // 2], names[-1]]


def _key(curves: Sequence[Curve], write: Write) -> str:
    items = "".join(
        f'<li><svg width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="2" fill="{curve.paint}" '
        f'fill-opacity="{0.45 if curve.faint else 1}"/></svg>{escape(curve.name)} '
        f"<b>{write(_last(curve.values_T))}</b></li>"
        for curve in curves
        if curve.name
    )
    return f'<ul class="keys">{items}</ul>' if items else ""


def _last(values_T: Floats) -> float:
    known = values_T[np.isfinite(values_T)]
    return float(known[-1]) if len(known) else float("nan")
