"""One part of a tear sheet: a question, its drawing or table, and what is to be known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Panel:
    """`wide` takes the whole width of the page; `body` is HTML, everything else plain text."""

    title: str
    body: str
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], label: str) -> str:
    """A small table; the first column names the row; columns may be without names."""
    names = "".join(f"<th scope='col'>{escape(name)}</th>" if name else "<td></td>" for name in head)
    above = f"<thead><tr>{names}</tr></thead>" if any(head) else ""
    body = "".join(
        f"<tr><th scope='row'>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(label)}'><table class='small'>"
        f"{above}<tbody>{body}</tbody></table></div>"
    )


def none(text: str) -> str:
    """Said where there is nothing to show."""
    return f'<p class="none">{escape(text)}</p>'
