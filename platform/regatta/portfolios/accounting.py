"""The book's value through time: each book earns from the close after its choice to the close after the next."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np

from regatta.portfolios.books import COSTS, TRADE_DELAY_DAYS
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices, row_of
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
        end = row_of(panel, following.as_of) + TRADE_DELAY_DAYS
        if end >= len(panel.dates_D):
            break
        point = _period(tournament, panel, book, end, nav)
        nav = point.nav
        point.save()
        written += 1
    return written


def _period(tournament: Tournament, panel: PricePanel, book: Rebalance, end: int, nav: float) -> NavPoint:
    start = row_of(panel, book.as_of) + TRADE_DELAY_DAYS
    column_of = {asset: column for column, asset in enumerate(panel.ids)}
    columns = np.array([column_of[row["id"]] for row in book.holdings], dtype=int)
    weights = np.array([row["weight"] for row in book.holdings])
    returns = panel.close_DN[end, columns] / panel.close_DN[start, columns] - 1.0
    period = hold(weights, book.turnover, returns, COSTS, days=end - start)
    return NavPoint(
        tournament=tournament, round=book.round, date=panel.dates_D[end].astype(object),
        nav=nav * (1 + period.net_return), gross_return=period.gross_return, cost=period.cost,
        net_return=period.net_return, gross=book.gross, net=book.net, turnover=book.turnover,
    )  # fmt: skip
