"""Values with two standard errors, as rows that can be compared by eye and read as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from regatta.charts.numbers import Write, corr, known, two
from regatta.charts.scale import Scale, padded


@dataclass(frozen=True, slots=True)
class Interval:
    """One row: a value, its standard error if known, and a note below its name."""

    name: str
    value: float
    error: float | None = None
    note: str = ""
    paint: str = "var(--soft)"
    strong: bool = False
    href: str = ""


def scale_of(pairs: Sequence[tuple[float | None, float | None]]) -> Scale:
    """One scale for all rows, with zero inside."""
    ends = []
    for value, error in pairs:
        if value is not None and math.isfinite(value):
            reach = 2 * error if error is not None and math.isfinite(error) else 0.0
            ends += [value - reach, value + reach]
    return Scale(*padded(ends or [0.0], zero=True))


def whisker(
    value: float | None, error: float | None, x: Scale, *, paint: str = "var(--soft)", ticks: bool = False
) -> SafeString:
    """One interval: a line of two standard errors each way, a dot, and where zero is."""
    if value is None or not math.isfinite(value):
        return mark_safe("")
    reach = 2 * error if error is not None and math.isfinite(error) else 0.0
    marks = "".join(
        f'<line class="tick" x1="{x(tick):.1f}%" x2="{x(tick):.1f}%" y1="0" y2="100%"/>' for tick in x.ticks if ticks
    )
    return mark_safe(
        f'<svg class="whisker" width="100%" height="22" aria-hidden="true">{marks}'
        f'<line class="zero" x1="{x(0):.1f}%" x2="{x(0):.1f}%" y1="0" y2="100%"/>'
        f'<line x1="{x(value - reach):.1f}%" x2="{x(value + reach):.1f}%" y1="11" y2="11" stroke="{paint}" '
        f'stroke-width="1.6"/><circle cx="{x(value):.1f}%" cy="11" r="3.6" fill="{paint}">'
        f"<title>{corr(value)} ± {corr(error)}</title></circle></svg>"
    )


def intervals(rows: Sequence[Interval], *, title: str, unit: str, write: Write = corr, axis: Write = two) -> SafeString:
    """Rows with a common axis; the numbers stand beside their drawing, so the table of the data is the chart."""
    if not rows:
        return mark_safe("")
    x = scale_of([(row.value, row.error) for row in rows])
    body = "".join(_row(row, x, write) for row in rows)
    ticks = "".join(f'<text x="{x(tick):.1f}%" y="13" text-anchor="middle">{axis(tick)}</text>' for tick in x.ticks)
    foot = f'<svg class="ticks" width="100%" height="18" aria-hidden="true">{ticks}</svg>'
    return mark_safe(
        f'<table class="intervals"><caption class="unseen">{escape(title)}</caption><thead class="unseen"><tr>'
        f"<th>Name</th><th>Drawing</th><th>{escape(unit)} ± s.e.</th></tr></thead><tbody>{body}</tbody>"
        f'<tfoot><tr><td></td><td>{foot}</td><td class="note">{escape(unit)}</td></tr></tfoot></table>'
    )


def _row(row: Interval, x: Scale, write: Write) -> str:
    name = f'<a href="{escape(row.href)}">{escape(row.name)}</a>' if row.href else escape(row.name)
    error = f" <small>± {write(row.error)}</small>" if known(row.error) else ""
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    strong = ' class="strong"' if row.strong else ""
    paint = "var(--accent)" if row.strong else row.paint
    drawing = whisker(row.value, row.error, x, paint=paint, ticks=True)
    return f'<tr{strong}><th scope="row">{name}{note}</th><td>{drawing}</td><td>{write(row.value)}{error}</td></tr>'
