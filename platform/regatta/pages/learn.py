"""The portfolio."""

from __future__ import annotations

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from regatta.charts.draw import line
from regatta.pages.context import required
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.tearsheet import drawdown, summarize

PERIODS_A_YEAR = 50.4


def portfolio(request: HttpRequest) -> HttpResponse:
    """The book and its tear sheet."""
    tournament = required(request)
    nav = list(NavPoint.objects.filter(tournament=tournament))
    net, gross, turnover = (
        np.array([getattr(point, name) for point in nav]) for name in ("net_return", "gross_return", "turnover")
    )
    labels = [f"{point.date:%Y-%m-%d}" for point in nav]
    context = {
        "tournament": tournament, "figures": summarize(net, gross, turnover, periods_a_year=PERIODS_A_YEAR),
        "nav": line([point.nav for point in nav], labels, title="Value of the book"),
        "depth": line(list(drawdown(net)) if len(net) else [], labels, title="Drawdown", height=150, percent=True),
        "book": newest_book(tournament),
    }  # fmt: skip
    return render(request, "pages/portfolio.html", context)


def newest_book(tournament: Tournament) -> Rebalance | None:
    """The latest book."""
    books = Rebalance.objects.filter(round__tournament=tournament).select_related("round")
    return books.order_by("-round__number").first()
