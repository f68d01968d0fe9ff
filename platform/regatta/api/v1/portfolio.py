"""The meta-model's portfolio: its books, what they hold and trade, and what they earned; open to all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
from django.db.models import F
from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.v1.finding import the, tournament_of
from regatta.api.v1.paging import OrderedPaging, Page, page
from regatta.api.v1.rooms import Room, Told
from regatta.portfolios.models import NavPoint, Rebalance
from tournament.portfolio.tearsheet import summarize

room = Room("portfolio")
TRADING_DAYS = 252
BOOK = ("as_of", "gross", "net", "turnover", "cost", "expected_risk", "binding", "holdings_sha256", "known_at")
VALUE = ("date", "gross_return", "cost", "net_return", "nav", "gross", "net", "turnover")


class Book(Told):
    """What was chosen at a round's close; fractions of the portfolio's value."""

    round: int
    as_of: date
    gross: float
    net: float
    turnover: float
    cost: float
    expected_risk: float
    binding: list[Any] = Field(description="Constraints that held it back.")
    holdings_sha256: str
    known_at: datetime


class Holding(Told):
    """One asset of a book."""

    id: str
    weight: float
    trade: float


class BookDetail(Book):
    """The same with what it holds."""

    holdings: list[Holding]


class Value(Told):
    """The portfolio's value after the period that begins with a round's trade."""

    round: int
    date: date
    gross_return: float
    cost: float
    net_return: float
    nav: float
    gross: float
    net: float
    turnover: float


class FigureAnswer(Told):
    """One figure of the tear sheet."""

    name: str
    value: float | None
    error: float | None = Field(description="Standard error, where there is one.")
    unit: str = Field(description="`%`: a fraction that is shown as percent.")


class Portfolio(Told):
    """The tear sheet and the newest book."""

    periods: int
    figures: list[FigureAnswer]
    book: Book | None


@room.get("/tournaments/{slug:slug}/portfolio/", Portfolio)
@open_to_all(of="tournament")
def portfolio(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The figures that a portfolio's owner reads first, and the newest book."""
    tournament = tournament_of(slug)
    nav = NavPoint.objects.filter(tournament=tournament).order_by("date")
    series = list(nav.values_list("net_return", "gross_return", "turnover"))
    net, gross, turnover = np.array(series).reshape(-1, 3).T
    days = tournament.parsed_rules().cadence_days
    figures = summarize(net, gross, turnover, periods_a_year=TRADING_DAYS / days)
    newest = _books(tournament.pk).order_by("-number").first()
    told = [
        {"name": one.name, "value": _finite(one.value), "error": _finite(one.error), "unit": one.unit}
        for one in figures
    ]
    return {"periods": len(series), "figures": told, "book": None if newest is None else _book(newest)}


@room.get("/tournaments/{slug:slug}/portfolio/values/", Page[Value])
@open_to_all(of="tournament")
def values(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """Value, returns and costs, period by period."""
    found = NavPoint.objects.filter(tournament=tournament_of(slug)).annotate(number=F("round__number"))
    return page(request, found, paging, _value, by=("number", "pk"))


@room.get("/tournaments/{slug:slug}/portfolio/books/", Page[Book])
@open_to_all(of="tournament")
def books(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """The books, round by round."""
    return page(request, _books(tournament_of(slug).pk), paging, _book, by=("number",))


@room.get("/tournaments/{slug:slug}/portfolio/books/{int:number}/", BookDetail)
@open_to_all(of="weighed round")
def book(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    """One book with what it holds and what was traded for it."""
    one = the(_books(tournament_of(slug).pk).defer(None), "book", number=number)
    return _book(one) | {"holdings": one.holdings}


def _books(tournament_id: int) -> Any:
    found = Rebalance.objects.filter(round__tournament=tournament_id)
    return found.annotate(number=F("round__number")).defer("holdings")


def _book(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in BOOK} | {"round": row.number}


def _value(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in VALUE} | {"round": row.number}


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
