"""A chart as it stands in a page: the drawing at any width with letters of one size, and a table of the same data.

The drawing is three SVGs side by side (axis, area, labels) whose places are per cent, so that it stretches without its
text; on phones the labels go below as a key. The table serves readers, screen readers and the reading of exact values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from regatta.charts.colours import regime_colour
from regatta.charts.numbers import Write
from regatta.charts.scale import CANVAS, Scale


@dataclass(frozen=True, slots=True)
class Table:
    """The data of a chart as text; `head` names the columns, the first of which names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def html(self, caption: str) -> str:
        """A plain HTML table."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.head)
        body = "".join("<tr><td>" + "<td>".join(map(escape, row)) for row in self.rows)
        caption = f'<caption class="unseen">{escape(caption)}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its table; empty (and false) when there is nothing to draw."""

    title: str
    drawing: str = ""
    table: Table = Table((), ())
    kind: str = ""

    def __bool__(self) -> bool:
        return bool(self.drawing)

    def __html__(self) -> SafeString:
        """The figure, safe to place in a page."""
        if not self.drawing:
            return mark_safe("")
        return mark_safe(
            f'<figure class="chart {self.kind}">{self.drawing}<details class="same"><summary>Table of the same data'
            f'</summary><div class="scroll" tabindex="0" role="region" aria-label="{escape(self.title)}: table">'
            f"{self.table.html(self.title)}</div></details></figure>"
        )

    def __str__(self) -> str:
        return str(self.__html__())


@dataclass(frozen=True, slots=True)
class Label:
    """A name beside the right end of what it names; `swatch` is SVG paint."""

    name: str
    value: str
    place: float
    paint: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Plot:
    """What stands around an area: y ticks, x ends, a caption for the y axis, labels, and a ribbon of regimes."""

    title: str
    y: Scale
    write: Write
    columns: Sequence[str]
    caption: str
    labels: Sequence[Label] = ()
    ribbon: Sequence[str | None] = ()

    def draw(self, area: str, *, behind: str = "") -> str:
        """The whole drawing around `area`, which is drawn on the stretched canvas over `behind`, which is not."""
        ribbon = draw_ribbon(self.columns, self.ribbon) if any(self.ribbon) else ""
        grid = "".join(
            f'<line class="tick" x1="0" x2="100%" y1="{self.y(tick):.2f}%" y2="{self.y(tick):.2f}%"/>'
            for tick in self.y.ticks
        )
        canvas = f'<svg viewBox="0 0 {CANVAS} {CANVAS}" preserveAspectRatio="none" width="100%" height="100%">'
        return (
            f'<p class="caption">{escape(self.caption)}</p><div class="plot">{ribbon}{self._axis()}'
            f'<svg class="area" width="100%" role="img" aria-label="{escape(self.title)}">{grid}{behind}'
            f"{canvas}{area}</svg></svg>{self._labels()}{draw_base(self.columns)}</div>{self._key()}"
        )

    def _axis(self) -> str:
        ticks = "".join(
            f'<text x="100%" dx="-8" y="{self.y(tick):.2f}%" dy=".32em" text-anchor="end">{self.write(tick)}</text>'
            for tick in self.y.ticks
        )
        return f'<svg class="axis" aria-hidden="true">{ticks}</svg>'

    def _labels(self) -> str:
        if not self.labels:
            return ""
        names = "".join(
            f'<text x="8" y="{label.place:.2f}%" dy=".32em"><tspan class="lab">{escape(label.name)}</tspan> '
            f"{escape(label.value)}</text>"
            for label in self.labels
        )
        longest = max(len(label.name) + 0.9 * len(label.value) + 1 for label in self.labels)
        return f'<svg class="labels" width="{min(240.0, 16 + 6.4 * longest):.0f}" aria-hidden="true">{names}</svg>'

    def _key(self) -> str:
        items = "".join(
            f'<li><svg class="swatch" width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="2" '
            f'fill="{label.paint}" fill-opacity="{label.opacity:.2f}"/></svg>{escape(label.name)} '
            f"<b>{escape(label.value)}</b></li>"
            for label in self.labels
        )
        return f'<ul class="key labels-below">{items}</ul>{regime_key(self.ribbon)}'


def draw_base(columns: Sequence[str]) -> str:
    """The x axis: first, middle and last column."""
    places = ((0, "0", "start"), (len(columns) // 2, "50%", "middle"), (len(columns) - 1, "100%", "end"))
    shown = places if len(columns) > 4 else places[::2]
    names = "".join(
        f'<text x="{x}" y="14" text-anchor="{anchor}">{escape(columns[place])}</text>' for place, x, anchor in shown
    )
    return f'<svg class="base" width="100%" height="18" aria-hidden="true">{names}</svg>'


def draw_ribbon(columns: Sequence[str], regimes: Sequence[str | None], *, name: str = "ribbon") -> str:
    """One coloured stretch per stay in a regime, above the area; a column is a point, so stretches meet halfway."""
    parts, start, last = [], 0, max(1, len(regimes) - 1)
    for place in range(1, len(regimes) + 1):
        if place < len(regimes) and regimes[place] == regimes[start]:
            continue
        regime = regimes[start]
        if regime is not None:
            left, right = max(0.0, (start - 0.5) / last), min(1.0, (place - 0.5) / last)
            parts.append(
                f'<rect x="{100 * left:.2f}%" width="{100 * (right - left):.2f}%" height="100%" '
                f'fill="{regime_colour(regime)}"><title>{escape(regime)}: {escape(columns[start])} to '
                f"{escape(columns[place - 1])}</title></rect>"
            )
        start = place
    return f'<svg class="{name}" width="100%" height="12" role="img" aria-label="Regimes">{"".join(parts)}</svg>'


def regime_key(regimes: Sequence[str | None]) -> str:
    """The legend of a ribbon: the regimes in it, in their fixed colours."""
    found = sorted({regime for regime in regimes if regime is not None}, key=regime_colour)
    items = "".join(
        f'<li><svg class="swatch" width="10" height="10" aria-hidden="true"><rect width="10" height="10" rx="5" '
        f'fill="{regime_colour(regime)}"/></svg>{escape(regime)}</li>'
        for regime in found
    )
    return f'<ul class="key">{items}</ul>' if items else ""
