"""The portfolio: what the meta-model's book earned, holds, trades and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from regatta.pages.exposure import told
from regatta.portfolios.books import COSTS, LIMITS
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.accounting import COLUMNS, DAYS_A_YEAR
from tournament.portfolio.calibration import Calibration, calibrate, rolling
from tournament.portfolio.risk import Floats
from tournament.portfolio.tearsheet import Figure, drawdown, summarize

FIRST_FIGURES, SHOWN_HOLDINGS, SHOWN_DAYS = 5, 20, 130
HALF_YEAR = 126


@open_to_all()
@require_safe
def portfolio(request: HttpRequest) -> HttpResponse:
    """The tear sheet, the curves and the newest book."""
    tournament = required(request)
    nav = list(NavPoint.objects.filter(tournament=tournament).order_by("date"))
    book = newest_book(tournament)
    figures, shown = tear_sheet(nav), thinned(nav)
    longs, shorts = sides(book)
    context = {
        "tournament": tournament, "figures": figures, "first": figures[:FIRST_FIGURES], "nav": draw_nav(shown),
        "depth": draw_depth(shown), "exposures": draw_exposures(shown), "cost": draw_cost(nav), "book": book,
        "risk": draw_risk(nav), "calibration": calibration(nav),
        "both": (("Largest longs", longs), ("Largest shorts", shorts)),
        "held": sum(1 for row in book.holdings if row["weight"]) if book else 0,
        "by_regime": draw_regimes(tournament, nav), "limits": LIMITS, "costs": COSTS,
        "exposure": told(book),
    }  # fmt: skip
    return render(request, "pages/portfolio.html", context)


@open_to_all()
@require_safe
def nav_file(request: HttpRequest) -> HttpResponse:
    """Value, returns, costs and forecast of every day as CSV."""
    tournament = required(request)
    columns = ("date", *COLUMNS, "forecast")
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


def tear_sheet(nav: Sequence[NavPoint]) -> tuple[Figure, ...]:
    """The figures that a portfolio's owner reads first; none below three days."""
    net, gross, turnover = (
        np.array([getattr(point, name) for point in nav]) for name in ("net_return", "gross_return", "turnover")
    )
    return summarize(net, gross, turnover, periods_a_year=DAYS_A_YEAR)


@dataclass(frozen=True, slots=True)
class Shown:
    """A day that is drawn, with what the days up to it have made."""

    point: NavPoint
    before_costs: float
    depth: float


def thinned(nav: Sequence[NavPoint]) -> list[Shown]:
    """At most about SHOWN_DAYS days at even steps, the last one among them; sums and highs are those of all days."""
    if not nav:
        return []
    before_T = np.cumprod([1.0 + point.gross_return for point in nav])
    depth_T = drawdown(np.array([point.net_return for point in nav]))
    all_days = [Shown(*day) for day in zip(nav, before_T.tolist(), depth_T.tolist(), strict=True)]
    step = max(1, -(-len(nav) // SHOWN_DAYS))
    return all_days[::-1][::step][::-1]


def draw_nav(shown: Sequence[Shown]) -> Chart:
    """Value after costs beside value before costs."""
    nav, before = [day.point for day in shown], [day.before_costs for day in shown]
    curves = [Curve("net", [point.nav for point in nav]), Curve("before costs", before, "var(--edge)")]
    title = "How did the value grow?"
    return lines(_days(nav), curves, title=title, caption="value, 1 at the start", write=two, precise=plain)


def draw_depth(shown: Sequence[Shown]) -> Chart:
    """Loss since the highest value."""
    curve = Curve("drawdown", [day.depth for day in shown], "var(--bad)", filled=True)
    return _shares(
        [day.point for day in shown], [curve], title="How deep did it fall?", caption="loss since the highest value"
    )


def draw_exposures(shown: Sequence[Shown]) -> Chart:
    """Gross and net exposure."""
    nav = [day.point for day in shown]
    curves = [
        Curve("gross", [point.gross for point in nav]),
        Curve("net", [point.net for point in nav], "var(--regime-2)"),
    ]
    return _shares(nav, curves, title="How much is at work?", caption="share of the value")


def draw_cost(nav: Sequence[NavPoint]) -> Chart:
    """Turnover of the newest days on which something was traded."""
    traded = [point for point in nav if point.turnover > 0][-SHOWN_DAYS:]
    curve = Curve("turnover", [point.turnover for point in traded], filled=True)
    return _shares(traded, [curve], title="How much is traded?", caption="share of the value, a book")


def draw_risk(nav: Sequence[NavPoint]) -> Chart:
    """The bias statistic of half a year through time, with its standard error."""
    bias_T, _ = rolling(*_against_forecast(nav), days=HALF_YEAR)
    step = max(1, -(-len(nav) // SHOWN_DAYS))
    days, values = list(nav)[::-1][::step][::-1], [float(value) for value in bias_T[::-1][::step][::-1]]
    errors = [value / np.sqrt(2 * HALF_YEAR) for value in values]
    curves = [Curve("bias", values, error=errors), Curve("right", [1.0] * len(values), "var(--edge)")]
    title = "Was the risk as forecast?"
    return lines(_days(days), curves, title=title, caption="realised over forecast, half a year", kind="low", write=two)


def calibration(nav: Sequence[NavPoint]) -> Calibration | None:
    """Bias and QLIKE of all days; None below three."""
    return calibrate(*_against_forecast(nav))


def _against_forecast(nav: Sequence[NavPoint]) -> tuple[Floats, Floats]:
    """Net returns and the volatilities forecast for them; NaN where none was."""
    forecast = [np.nan if point.forecast is None else point.forecast for point in nav]
    return np.array([point.net_return for point in nav]), np.array(forecast, dtype=float)


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
    periods: dict[int, float] = {}
    for point in nav:
        periods[point.round_id] = (1.0 + periods.get(point.round_id, 0.0)) * (1.0 + point.net_return) - 1.0
    by_name: dict[str, list[float]] = {}
    for pk, earned in periods.items():
        if pk in names:
            by_name.setdefault(names[pk], []).append(earned)
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
