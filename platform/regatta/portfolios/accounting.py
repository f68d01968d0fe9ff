"""The book's value through time: a book is traded at the first close after its choice and earns to the next trade."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from regatta.portfolios.books import COSTS
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_after
from tournament.markets.panel import PricePanel
from tournament.portfolio.accounting import hold


def settle(tournament: Tournament, now: datetime) -> int:
    """Write the NAV of every holding period that has ended by `now`; how many were written."""
    last = NavPoint.objects.filter(tournament=tournament).select_related("round").order_by("-date").first()
    after = 0 if last is None else last.round.number
    books = list(
        Rebalance.objects.filter(round__tournament=tournament, round__number__gt=after).order_by("round__number")
    )
    panel, written, nav = known_prices(tournament, now), 0, 1.0 if last is None else last.nav
    for book, following in pairwise(books):
        end = row_after(panel, following.known_at)
        if end >= len(panel.dates_D):
            break
        point = _period(tournament, panel, book, end, nav)
        nav = point.nav
        point.save()
        written += 1
    return written


def _period(tournament: Tournament, panel: PricePanel, book: Rebalance, end: int, nav: float) -> NavPoint:
    start = row_after(panel, book.known_at)
    column_of = {asset: column for column, asset in enumerate(panel.ids)}
    columns = np.array([column_of[row["id"]] for row in book.holdings], dtype=int)
    weights = np.array([row["weight"] for row in book.holdings])
    returns = last_closes(panel, end)[columns] / last_closes(panel, start)[columns] - 1.0
    period = hold(weights, book.turnover, returns, COSTS, days=end - start)
    return NavPoint(
        tournament=tournament, round=book.round, date=panel.dates_D[end].astype(object),
        nav=nav * (1 + period.net_return), gross_return=period.gross_return, cost=period.cost,
        net_return=period.net_return, gross=book.gross, net=book.net, turnover=book.turnover,
    )  # fmt: skip


def last_closes(panel: PricePanel, row: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The newest close of every asset up to a row (N): one that has stopped trading keeps its last; NaN before any."""
    known_DN = np.isfinite(panel.close_DN[: row + 1])
    newest_N = row - known_DN[::-1].argmax(axis=0)
    return np.asarray(panel.close_DN[newest_N, np.arange(panel.close_DN.shape[1])], dtype=float)
