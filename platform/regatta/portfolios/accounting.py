"""The book's value through time: a book is filled at the first close after its choice, and valued at every close.

The days are walked by the engine that backtests use, from the opening that each book keeps: what was held at the close
at which it was chosen. So a live course is, to the bit, the backtest of its books.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from regatta.portfolios.books import COSTS, EXECUTION
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_after
from tournament.markets.panel import PricePanel
from tournament.portfolio.accounting import COLUMNS, DAYS_A_YEAR

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Walked:
    """A stretch of the course: the days since a book's choice, which book each was held in, and the end."""

    dates_T: np.ndarray[Any, np.dtype[np.datetime64]]
    days: dict[str, Floats]
    held_in: tuple[Rebalance, ...]
    money_N: Floats
    value: float

    @property
    def weights_N(self) -> Floats:
        """What is held at the end, as fractions of the value (N, in the panel's order)."""
        return self.money_N / self.value if self.value > 0 else np.zeros(len(self.money_N))


def settle(tournament: Tournament, now: datetime) -> int:
    """Write the value of every day that is known by `now`; how many were written."""
    panel = known_prices(tournament, now)
    last = NavPoint.objects.filter(tournament=tournament).order_by("-date").values_list("date", flat=True).first()
    if last is not None and last >= panel.dates_D[-1].astype(object):
        return 0
    walked = walk(tournament, panel)
    if walked is None:
        return 0
    rows = [place for place, day in enumerate(walked.dates_T.astype(object)) if last is None or day > last]
    NavPoint.objects.bulk_create([_point(tournament, walked, place) for place in rows])
    return len(rows)


def walk(tournament: Tournament, panel: PricePanel) -> Walked | None:
    """From the newest book's opening to the newest close; None before the first book.

    Books that were written before openings were kept are walked through from the first on.
    """
    books = Rebalance.objects.filter(round__tournament=tournament).select_related("round").order_by("-round__number")
    opened = books.exclude(opening={}).first()
    tail = list(books if opened is None else books.filter(round__number__gte=opened.round.number))[::-1]
    if not tail:
        return None
    earlier = books.filter(round__number__lt=tail[0].round.number).first()
    return _walk(panel, tail, tail[0] if earlier is None else earlier)


def _walk(panel: PricePanel, books: list[Rebalance], earlier: Rebalance) -> Walked:
    """`earlier` is the book that is held until the first of `books` is filled."""
    from tournament.portfolio.engine import advance  # loads the compiler, which no web process needs
    from tournament.portfolio.frictions import rates_of

    orders, first = orders_of(panel, books), row_after(panel, books[0].known_at)
    course = advance(
        _opening(books[0], panel.ids), panel.close_DN, orders, rates_of(len(panel.ids), COSTS, EXECUTION),
        first=first, last=len(panel.dates_D) - 1,
    )  # fmt: skip
    days = {name: course.column(name) for name in COLUMNS}
    held = np.searchsorted(orders.rows_R, first + np.arange(len(course.days_TK)), side="left")
    held_in = tuple((earlier, *books)[place] for place in held)
    return Walked(panel.dates_D[first:], days, held_in, course.end.money_N, course.end.value)


def orders_of(panel: PricePanel, books: list[Rebalance]) -> Any:
    """The engine's orders of some books: each filled at the first close after it was chosen."""
    from tournament.portfolio.engine import Orders
    from tournament.portfolio.frictions import impact_of

    rows = np.array([row_after(panel, book.known_at) for book in books], dtype=np.int64)
    column_of = {asset: column for column, asset in enumerate(panel.ids)}
    targets_RN, impacts = np.zeros((len(books), len(panel.ids))), []
    for target_N, book, row in zip(targets_RN, books, rows, strict=True):
        for held in book.holdings:
            target_N[column_of[held["id"]]] = held["weight"]
        volume_DN = None if panel.volume_DN is None else panel.volume_DN[:row]
        impacts.append(impact_of(panel.close_DN[:row], volume_DN, EXECUTION))
    return Orders(rows, targets_RN, None if panel.volume_DN is None else np.array(impacts))


def opening_of(walked: Walked | None, ids: tuple[str, ...]) -> dict[str, Any]:
    """What a book that is chosen now starts from, as it is kept with it."""
    if walked is None:
        return {"value": 1.0, "money": {}}
    held = np.flatnonzero(walked.money_N)
    return {"value": walked.value, "money": {ids[column]: float(walked.money_N[column]) for column in held}}


def _opening(book: Rebalance, ids: tuple[str, ...]) -> Any:
    from tournament.portfolio.engine import Holdings

    money = book.opening.get("money", {})
    return Holdings(np.array([money.get(asset, 0.0) for asset in ids]), float(book.opening.get("value", 1.0)))


def _point(tournament: Tournament, walked: Walked, place: int) -> NavPoint:
    book = walked.held_in[place]
    return NavPoint(
        tournament=tournament, round=book.round, date=walked.dates_T[place].astype(object),
        forecast=book.expected_risk / np.sqrt(DAYS_A_YEAR),
        **{name: float(values[place]) for name, values in walked.days.items()},
    )  # fmt: skip


def last_closes(panel: PricePanel, row: int) -> Floats:
    """The newest close of every asset up to a row (N): one that has stopped trading keeps its last; NaN before any."""
    known_DN = np.isfinite(panel.close_DN[: row + 1])
    newest_N = row - known_DN[::-1].argmax(axis=0)
    return np.asarray(panel.close_DN[newest_N, np.arange(panel.close_DN.shape[1])], dtype=float)
