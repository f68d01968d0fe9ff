"""Why the book holds what it holds, which styles it earned by, and what it would hold under other limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.bars import Bar, bars
from regatta.charts.numbers import percent, plain, signed
from regatta.pages.context import required
from regatta.pages.downloads import csv_file
from regatta.pages.forms import WhatIfForm
from regatta.pages.styles import draw_styles, periods, style_rows, styles_by_regime
from regatta.portfolios.explaining import Reasons, alternative, reasons
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament
from regatta.security import asked_number
from tournament.errors import Infeasible
from tournament.portfolio.explanation import ALPHA, COMMON, COST, GROSS, OWN, POSITION, TURNOVER
from tournament.portfolio.limits import Limits
from tournament.portfolio.what_if import Alternative

SHOWN = 24
MOVED = 6
GROUPS = (
    ("Alpha", (ALPHA,)), ("Common risk", (COMMON,)), ("Own risk", (OWN,)), ("Net, beta", ("net", "beta")),
    ("Gross", (GROSS,)), ("Trading", (COST, TURNOVER)), ("Position limit", (POSITION,)),
)  # fmt: skip
"""Columns of the table of holdings, and the marginal parts that each sums."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset: what a unit of it would bring and cost by column, its weight, what it was, and the trade."""

    asset: str
    parts: tuple[float, ...]
    weight: float
    before: float
    trade: float


@dataclass(frozen=True, slots=True)
class Charge:
    """One limit: where it stands, where the book is, and what 1 % of the book's value more of it would gain."""

    name: str
    most: str
    now: str
    price: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both books."""

    name: str
    chosen: str
    other: str
    change: str


@open_to_all()
@require_safe
def portfolio_why(request: HttpRequest) -> HttpResponse:
    """A round's book taken apart, styles through time, and another book where limits are given."""
    tournament = required(request)
    book = find_book(tournament, request.GET.get("round", ""))
    told = reasons(book.premises_sha256) if book else None
    form = WhatIfForm.of(request.GET, told.premises.limits if told else Limits())
    found = periods(tournament)
    context: dict[str, Any] = {
        "tournament": tournament, "book": book, "told": told, "form": form, "periods": found,
        "styles": style_rows(found), "curve": draw_styles(found), "by_regime": styles_by_regime(found),
    }  # fmt: skip
    if book is not None and told is not None:
        context |= {
            "groups": [name for name, _ in GROUPS], "holdings": holdings(told)[:SHOWN], "charges": charges(told),
            "one": (one := chosen_asset(told, request.GET.get("asset", ""))), "drawn": draw_one(told, one),
            "other": other_book(book, form), "held": int((told.explained.weights_N != 0).sum()),
        }  # fmt: skip
    return render(request, "pages/portfolio_why.html", context)


@open_to_all()
@require_safe
def reasons_file(request: HttpRequest) -> HttpResponse:
    """Every holding of a round's book and the parts that it is the sum of, as CSV. Raises Http404 without a book."""
    tournament = required(request)
    book = find_book(tournament, request.GET.get("round", ""))
    told = reasons(book.premises_sha256) if book else None
    if book is None or told is None:
        raise Http404("there is no book that could be taken apart")
    explained = told.explained
    rows = (
        (name, *map(float, parts), float(weight), float(before), float(weight - before))
        for name, parts, weight, before in zip(
            told.premises.ids, explained.parts_NP, explained.weights_N, explained.previous_N, strict=True
        )
        if weight or before
    )
    head = ("asset", *(name.replace(" ", "_") for name in explained.names), "weight", "weight_before", "trade")
    return csv_file(f"why_{tournament.slug}_round_{book.round.number}", head, rows)


def find_book(tournament: Tournament, asked: str) -> Rebalance | None:
    """The book of the round asked for, else the newest, of those that can be solved again. Raises Http404."""
    books = Rebalance.objects.filter(round__tournament=tournament).exclude(premises_sha256="").select_related("round")
    if not asked:
        return books.order_by("-round__number").first()
    number = asked_number(asked)
    found = None if number is None else books.filter(round__number=number).first()
    if found is None:
        raise Http404(f"no book was chosen in round {asked[:20]}")
    return found


def holdings(told: Reasons) -> list[Holding]:
    """Everything that is or was held, largest first."""
    explained = told.explained
    trades_N = explained.trades_N
    order = np.lexsort((-np.abs(trades_N), -np.abs(explained.weights_N)))
    return [
        Holding(
            told.premises.ids[i], _grouped(explained.marginal(i)), float(explained.weights_N[i]),
            float(explained.previous_N[i]), float(trades_N[i]),
        )
        for i in map(int, order)
        if explained.weights_N[i] or explained.previous_N[i]
    ]  # fmt: skip


def _grouped(parts: dict[str, float]) -> tuple[float, ...]:
    return tuple(sum(parts.get(part, 0.0) for part in group) for _, group in GROUPS)


def charges(told: Reasons) -> list[Charge]:
    """The limits, and what each is worth to the book: basis points of expected net alpha for 1 % of value more."""
    limits, weights_N = told.premises.limits, told.explained.weights_N
    now = {
        "gross": float(np.abs(weights_N).sum()), "net": float(weights_N.sum()),
        "turnover": float(np.abs(told.explained.trades_N).sum()),
    }  # fmt: skip
    rows = [
        Charge(name.capitalize(), percent(getattr(limits, name), 0), percent(now[name], 1), 100 * told.prices[name])
        for name in ("gross", "turnover", "net")
    ]
    if "beta" in told.prices:
        beta_N = told.premises.beta_N
        at = 0.0 if beta_N is None else float(beta_N @ weights_N)
        rows.append(Charge("Beta", signed(0.0, 2), signed(at, 2), 100 * told.prices["beta"]))
    limited_N = told.explained.limited_N
    count = int((limited_N != 0).sum())
    at_limit = f"{count} at it" if count else "none at it"
    return [
        *rows,
        Charge("Position, all", percent(limits.position, 1), at_limit, 100 * float(np.abs(limited_N).sum())),
    ]


def chosen_asset(told: Reasons, asked: str) -> Holding | None:
    """The holding asked for, else the largest."""
    found = holdings(told)
    return next((one for one in found if one.asset == asked), found[0] if found else None)


def draw_one(told: Reasons, one: Holding | None) -> SafeString:
    """A waterfall from what a unit of an asset is expected to bring down to nothing."""
    if one is None:
        return bars([], title="", heads=("", "", ""), axis=percent)
    rows, at = [], 0.0
    for name, value in told.explained.marginal(told.premises.ids.index(one.asset)).items():
        if abs(value) < 5e-7 and name != ALPHA:
            continue
        paint = "var(--accent)" if name == ALPHA else "var(--soft)"
        rows.append(Bar(name.capitalize(), at, at + value, signed(1e4 * value, 1), paint=paint, strong=name == ALPHA))
        at += value
    title = f"What {one.asset} is expected to bring and what uses it up"
    return bars(rows, title=title, heads=("Part", "bp", ""), axis=lambda value: plain(_basis_points(value), 0))


def _basis_points(value: float | None) -> float | None:
    return None if value is None else 1e4 * value


def other_book(book: Rebalance, form: WhatIfForm) -> dict[str, Any] | None:
    """The book under the limits of the form: its figures beside the chosen one's, or which limits forbid it."""
    if not form.is_bound or not form.is_valid():
        return None
    try:
        found = alternative(book.premises_sha256, form.limits())
    except Infeasible as refusal:
        return {"refused": str(refusal)}
    return {
        "rows": differences(found),
        "overlap": found.overlap,
        "binding": found.binding,
        "moved": _moved(book, found),
    }


def differences(found: Alternative) -> list[Difference]:
    """Figure by figure."""
    chosen, other = asdict(found.chosen), asdict(found.other)
    basis = lambda value: f"{signed(1e4 * value, 1)} bp"  # noqa: E731
    shares = (("risk", "Risk a year"), ("turnover", "Turnover"), ("gross", "Gross"), ("net", "Net"),
              ("largest", "Largest position"))  # fmt: skip
    rows = [
        Difference(name, basis(chosen[key]), basis(other[key]), basis(other[key] - chosen[key]))
        for key, name in (("alpha", "Expected alpha"), ("cost", "Cost of trading"), ("net_alpha", "Alpha after cost"))
    ]
    rows += [
        Difference(name, percent(chosen[key], 1), percent(other[key], 1), _signed_percent(other[key] - chosen[key], 1))
        for key, name in shares
    ]
    held = other["held"] - chosen["held"]
    return [*rows, Difference("Assets held", str(chosen["held"]), str(other["held"]), signed(held, 0))]


def _moved(book: Rebalance, found: Alternative) -> list[tuple[str, float, float]]:
    """The assets whose weight would differ most."""
    told = reasons(book.premises_sha256)
    order: Sequence[int] = np.argsort(-np.abs(found.change_N))[:MOVED].tolist()
    ids = told.premises.ids if told else ()
    return [(ids[i], float(found.weights_N[i]), float(found.change_N[i])) for i in order if ids and found.change_N[i]]


def _signed_percent(value: float, digits: int = 2) -> str:
    text = percent(value, digits)
    return f"+{text}" if value > 0 and not text.startswith(f"{0:.{digits}f}\u202f") else text
