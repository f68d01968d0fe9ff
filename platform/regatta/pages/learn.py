"""The meta-model and its portfolio."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from regatta.charts.draw import intervals, line, river
from regatta.ensemble.models import MetaModel, RoundWeights
from regatta.ensemble.training import report
from regatta.pages.context import required
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.tearsheet import drawdown, summarize

SHOWN_ROUNDS, SHOWN_MODELS, PERIODS_A_YEAR = 120, 8, 50.4


def meta_model(request: HttpRequest) -> HttpResponse:
    """Which models the fleet follows, in which wind, and whether the champion is really better."""
    tournament = required(request)
    weights = list(
        RoundWeights.objects.filter(round__tournament=tournament, is_champion=True)
        .select_related("round", "round__regime", "selector").order_by("-round__number")[:SHOWN_ROUNDS]
    )[::-1]  # fmt: skip
    results = report(tournament, tournament.now())
    newest = weights[-1] if weights else None
    context = {
        "tournament": tournament, "newest": newest, "river": draw_river(weights), "table": top_models(newest),
        "families": sorted(results.items(), key=lambda item: -item[1]["corr"]),
        "compare": compare(results, newest),
        "meta": MetaModel.objects.filter(round=newest.round).first() if newest else None,
        "regime": regime_of(newest), "champion": results.get(newest.family) if newest else None,
    }  # fmt: skip
    return render(request, "pages/meta_model.html", context)


def top_models(newest: RoundWeights | None) -> list[tuple[str, float]]:
    """The models with the largest weights now."""
    return sorted(newest.weights.items(), key=lambda item: -item[1])[:12] if newest else []


def regime_of(newest: RoundWeights | None) -> list[dict[str, Any]]:
    """The filtered probability of each regime in the newest round."""
    state = getattr(newest.round, "regime", None) if newest else None
    if state is None:
        return []
    pairs = zip(state.names, state.probabilities, strict=True)
    return [{"name": name, "share": share, "number": place + 1} for place, (name, share) in enumerate(pairs)]


def draw_river(weights: list[RoundWeights]) -> str:
    """The river of the largest models and the rest."""
    mean: dict[str, float] = {}
    for row in weights:
        for name, weight in row.weights.items():
            mean[name] = mean.get(name, 0.0) + weight
    largest = sorted(mean, key=lambda name: -mean[name])[:SHOWN_MODELS]
    layers = [(name, [row.weights.get(name, 0.0) for row in weights]) for name in largest]
    layers.append(("others", [max(0.0, 1.0 - sum(row.weights.get(name, 0.0) for name in largest)) for row in weights]))
    states = [getattr(row.round, "regime", None) for row in weights]
    regimes = [None if state is None else (state.label, state.names[state.label]) for state in states]
    return river([row.round.number for row in weights], layers, regimes)


def compare(results: dict[str, dict[str, float]], newest: RoundWeights | None) -> str:
    """Every family's live corr with two standard errors."""
    rows = [
        (family, entry["corr"], entry["corr_se"]) for family, entry in results.items() if np.isfinite(entry["corr"])
    ]
    rows.sort(key=lambda row: -row[1])
    return intervals(
        rows, title="Live corr of each selector, two standard errors", strong=newest.family if newest else ""
    )


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
