"""How much of the book is held, why, and what is known of other settings, as the portfolio page tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regatta.charts.numbers import NONE, signed
from regatta.portfolios.books import PROTECTION
from regatta.portfolios.models import Rebalance

SHOWN, TRIED = 5, "volatility and drawdown 25 %"


@dataclass(frozen=True, slots=True)
class Gain:
    """A gain in Sharpe ratio a year as written, and its standard error; nothing for the default over itself."""

    mean: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its weight, and its gain over the default, expected and believed."""

    name: str
    weight: float
    prior: str
    learned: Gain


@dataclass(frozen=True, slots=True)
class Told:
    """The panel: the share, what made it, the settings, and what a limit on the drawdown would change."""

    share: float
    why: dict[str, Any]
    waits: int
    rows: list[Row]
    limit: float
    price: Gain
    price_known: bool
    """Whether this book or other strategies say what a limit would change."""
    tasks: int
    """Of other strategies, known when the book was chosen."""


def told(book: Rebalance | None) -> Told | None:
    """The newest book's overlay; None for books that have none."""
    if book is None or "why" not in book.overlay:
        return None
    why = book.overlay["why"]
    tried = next(one for one in why["settings"] if one["name"] == TRIED)
    tasks = why.get("tasks", 0)
    return Told(
        book.overlay["share"], why, why["waits"], _rows(why["settings"]), PROTECTION.limit, _gain(tried),
        tried["seen"] is not None or tasks > 0, tasks,
    )  # fmt: skip


def _rows(settings: list[dict[str, Any]]) -> list[Row]:
    """The default, then those of the largest weight and believed gain."""
    default, *others = settings
    best = sorted(others, key=lambda one: (-one["weight"], -one["believed"]))[: SHOWN - 1]
    first = Row(default["name"], default["weight"], NONE, Gain(NONE))
    return [first, *(Row(one["name"], one["weight"], signed(one["prior"], 2), _gain(one)) for one in best)]


def _gain(setting: dict[str, Any]) -> Gain:
    return Gain(signed(setting["believed"], 2), f"{setting['believed_error']:.2f}")
