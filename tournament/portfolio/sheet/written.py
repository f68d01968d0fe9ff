"""A tear sheet as HTML: the same parts in report.html and on the site's page."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

from tournament.portfolio.sheet.draw import number, percent
from tournament.portfolio.sheet.panel import Panel, Section
from tournament.portfolio.sheet.sheet import Sheet
from tournament.portfolio.tearsheet import Figure


@lru_cache(maxsize=1)
def style() -> str:
    """The CSS of a sheet."""
    return (Path(__file__).parent / "static" / "sheet.css").read_text()


def verdict(sheet: Sheet) -> str:
    """What one reads first."""
    return f'<dl class="verdict">{"".join(map(_figure, sheet.verdict))}</dl>'


def numbers(sheet: Sheet) -> str:
    """Every figure with its standard error."""
    return (
        f'<div class="tear"><section class="wide"><h3>Figures</h3><p class="note">After costs. Standard errors by '
        f"bootstrap in blocks of a month; the riskless rate is 0, a year has 252 days.</p>"
        f'<dl class="all">{"".join(map(_figure, sheet.figures))}</dl></section></div>'
    )


def section(one: Section) -> str:
    """A heading and its panels."""
    return f'<h2 class="section">{escape(one.title)}</h2><div class="tear">{"".join(map(_panel, one.panels))}</div>'


def _panel(one: Panel) -> str:
    wide = ' class="wide"' if one.wide else ""
    note = f'<p class="note">{escape(one.note)}</p>' if one.note else ""
    return f"<section{wide}><h3>{escape(one.title)}</h3>{note}{one.body}</section>"


def _figure(one: Figure) -> str:
    write = (lambda value: percent(value, 1)) if one.unit == "%" else number
    error = "" if one.error is None else f" <small>± {write(one.error)}</small>"
    return f"<div><dt>{escape(one.name)}</dt><dd>{write(one.value)}{error}</dd></div>"
