"""Bars on a common axis that may start anywhere: a waterfall, or pushes to both sides of zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from regatta.charts.numbers import Write
from regatta.charts.scale import Scale, padded


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a bar from `start` to `end`, its number as text, and a note below its name."""

    name: str
    start: float
    end: float
    text: str
    note: str = ""
    paint: str = "var(--accent)"
    strong: bool = False
    href: str = ""
    beside: str = ""
    """A second number, in its own column where any row has one."""


def bars(
    rows: Sequence[Bar], *, title: str, heads: tuple[str, str, str], axis: Write, unit: str = ""
) -> SafeString:  # fmt: skip
    """Rows with their numbers, so that the chart is its own table; `heads` name what rows, numbers and seconds are."""
    if not rows:
        return mark_safe("")
    x = Scale(*padded([end for row in rows for end in (row.start, row.end)], zero=True))
    seconds = any(row.beside for row in rows)
    head = (
        f'<th class="l">{escape(heads[0])}</th><th><span class="unseen">Drawing</span></th><th>{escape(heads[1])}</th>'
    )
    head += f"<th>{escape(heads[2])}</th>" if seconds else ""
    ticks = "".join(f'<text x="{x(tick):.1f}%" y="13" text-anchor="middle">{axis(tick)}</text>' for tick in x.ticks)
    foot = f'<svg class="ticks" width="100%" height="18" aria-hidden="true">{ticks}</svg>'
    kind = "intervals bars seconds" if seconds else "intervals bars"
    return mark_safe(
        f'<table class="{kind}"><caption class="unseen">{escape(title)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(_row(row, x, seconds=seconds) for row in rows)}</tbody>"
        f'<tfoot><tr><td></td><td>{foot}</td><td class="note">{escape(unit)}</td>{"<td></td>" if seconds else ""}</tr>'
        "</tfoot></table>"
    )


def _row(row: Bar, x: Scale, *, seconds: bool) -> str:
    name = f'<a href="{escape(row.href)}">{escape(row.name)}</a>' if row.href else escape(row.name)
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    strong = ' class="strong"' if row.strong else ""
    second = f"<td>{escape(row.beside)}</td>" if seconds else ""
    return f'<tr{strong}><th scope="row">{name}{note}</th><td>{_drawn(row, x)}</td><td>{row.text}</td>{second}</tr>'


def _drawn(row: Bar, x: Scale) -> str:
    left, right = sorted((x(row.start), x(row.end)))
    ticks = "".join(f'<line class="tick" x1="{x(t):.1f}%" x2="{x(t):.1f}%" y1="0" y2="100%"/>' for t in x.ticks)
    return (
        f'<svg class="bar-drawn" width="100%" height="22" aria-hidden="true">{ticks}<line class="zero" '
        f'x1="{x(0):.1f}%" x2="{x(0):.1f}%" y1="0" y2="100%"/><rect x="{left:.1f}%" y="5" height="12" rx="2" '
        f'width="{max(0.6, right - left):.1f}%" fill="{row.paint}"/></svg>'
    )
