"""The portfolio: what the meta-model's book earned, holds, trades and costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.colours import regime_colour
from regatta.charts.figure import Chart
from regatta.charts.intervals import Interval, intervals
from regatta.charts.lines import Curve, lines, shares
from regatta.charts.numbers import percent, plain, two
from regatta.ensemble.models import RegimeState
from regatta.pages.context import required
from regatta.pages.downloads import csv_file
from regatta.portfolios.books import COSTS, LIMITS
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.tearsheet import Figure, drawdown, summarize
from tournament.rules import Rules

TRADING_DAYS, FIRST_FIGURES, SHOWN_HOLDINGS = 252, 5, 20


@open_to_all()
@require_safe
def portfolio(request: HttpRequest) -> HttpResponse:
    """The tear sheet, the curves and the newest book."""
    tournament = required(request)
    nav = list(NavPoint.objects.filter(tournament=tournament).order_by("date"))
    book = newest_book(tournament)
    figures = tear_sheet(nav, tournament.parsed_rules())
    longs, shorts = sides(book)
    context = {
        "tournament": tournament, "figures": figures, "first": figures[:FIRST_FIGURES], "nav": draw_nav(nav),
        "depth": draw_depth(nav), "exposures": draw_exposures(nav), "cost": draw_cost(nav), "book": book,
        "both": (("Largest longs", longs), ("Largest shorts", shorts)),
        "held": sum(1 for row in book.holdings if row["weight"]) if book else 0,
        "by_regime": draw_regimes(tournament, nav), "limits": LIMITS, "costs": COSTS,
    }  # fmt: skip
    return render(request, "pages/portfolio.html", context)


@open_to_all()
@require_safe
def nav_file(request: HttpRequest) -> HttpResponse:
    """Value, returns and costs of every period as CSV."""
    tournament = required(request)
    columns = ("date", "gross_return", "cost", "net_return", "nav", "gross", "net", "turnover")
    points = NavPoint.objects.filter(tournament=tournament).order_by("date")
    return csv_file(f"nav_{tournament.slug}", columns, points.values_list(*columns))


@open_to_all()
@require_safe
def trades_file(request: HttpRequest) -> HttpResponse:
    """Every trade of every book as CSV: fractions of the book's value."""
    tournament = required(request)
    rows = (
        (number, as_of, row["id"], row["trade"], row["weight"])
        for number, as_of, holdings in _books(tournament)
        for row in holdings
        if row["trade"]
    )
    return csv_file(f"trades_{tournament.slug}", ("round", "as_of", "asset", "trade", "weight_after"), rows)


@open_to_all()
@require_safe
def holdings_file(request: HttpRequest) -> HttpResponse:
    """Every holding of every book as CSV: fractions of the book's value."""
    tournament = required(request)
    rows = (
        (number, as_of, row["id"], row["weight"])
        for number, as_of, holdings in _books(tournament)
        for row in holdings
        if row["weight"]
    )
    return csv_file(f"holdings_{tournament.slug}", ("round", "as_of", "asset", "weight"), rows)


def _books(tournament: Tournament) -> Any:
    found = Rebalance.objects.filter(round__tournament=tournament).order_by("round__number")
    return found.values_list("round__number", "as_of", "holdings").iterator(chunk_size=50)


def newest_book(tournament: Tournament) -> Rebalance | None:
    """The latest book."""
    books = Rebalance.objects.filter(round__tournament=tournament).select_related("round")
    return books.order_by("-round__number").first()


def sides(book: Rebalance | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The largest long and short holdings, largest first."""
    held = [row for row in book.holdings if row["weight"]] if book else []
    largest = sorted(held, key=lambda row: (-abs(row["weight"]), row["id"]))
    longs = [row for row in largest if row["weight"] > 0][:SHOWN_HOLDINGS]
    return longs, [row for row in largest if row["weight"] < 0][:SHOWN_HOLDINGS]


def tear_sheet(nav: Sequence[NavPoint], rules: Rules) -> tuple[Figure, ...]:
    """The figures that a portfolio's owner reads first; none below three periods."""
    net, gross, turnover = (
        np.array([getattr(point, name) for point in nav]) for name in ("net_return", "gross_return", "turnover")
    )
    return summarize(net, gross, turnover, periods_a_year=TRADING_DAYS / rules.cadence_days)


def draw_nav(nav: Sequence[NavPoint]) -> Chart:
    """Value after costs beside value before costs."""
    before = list(np.cumprod([1.0 + point.gross_return for point in nav])) if nav else []
    curves = [Curve("net", [point.nav for point in nav]), Curve("before costs", before, "var(--edge)")]
    title = "How did the value grow?"
    return lines(_days(nav), curves, title=title, caption="value, 1 at the start", write=two, precise=plain)


def draw_depth(nav: Sequence[NavPoint]) -> Chart:
    """Loss since the highest value."""
    depth = list(drawdown(np.array([point.net_return for point in nav]))) if nav else []
    curve = Curve("drawdown", depth, "var(--bad)", filled=True)
    return _shares(nav, [curve], title="How deep did it fall?", caption="loss since the highest value")


def draw_exposures(nav: Sequence[NavPoint]) -> Chart:
    """Gross and net exposure."""
    curves = [
        Curve("gross", [point.gross for point in nav]),
        Curve("net", [point.net for point in nav], "var(--regime-2)"),
    ]
    return _shares(nav, curves, title="How much is at work?", caption="share of the value")


def draw_cost(nav: Sequence[NavPoint]) -> Chart:
    """Turnover of each period."""
    curve = Curve("turnover", [point.turnover for point in nav], filled=True)
    return _shares(nav, [curve], title="How much is traded?", caption="share of the value, a period")


def _shares(nav: Sequence[NavPoint], curves: list[Curve], *, title: str, caption: str) -> Chart:
    return lines(
        _days(nav), curves, title=title, caption=caption, zero=True, kind="low", write=shares(curves),
        precise=lambda value: percent(value, 2),
    )  # fmt: skip


def _days(nav: Sequence[NavPoint]) -> list[str]:
    return [f"{point.date:%Y-%m-%d}" for point in nav]


def draw_regimes(tournament: Tournament, nav: Sequence[NavPoint]) -> str:
    """Mean net return of a period by the regime of its round, with two standard errors."""
    states = RegimeState.objects.filter(round__tournament=tournament).values_list("round_id", "names", "label")
    names = {pk: regimes[label] for pk, regimes, label in states}
    by_name: dict[str, list[float]] = {}
    for point in nav:
        if point.round_id in names:
            by_name.setdefault(names[point.round_id], []).append(point.net_return)
    rows = [
        Interval(name, float(np.mean(values)), _error(values), f"{len(values)} periods", regime_colour(name))
        for name, values in sorted(by_name.items(), key=lambda item: -float(np.mean(item[1])))
    ]
    write = lambda value: percent(value, 2)  # noqa: E731
    title = "Net return of a period by regime with two standard errors"
    return intervals(rows, title=title, unit="a period", write=write, axis=lambda value: percent(value, 1))


def _error(values: Sequence[float]) -> float | None:
    """Standard error of the mean of periods that do not overlap."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
