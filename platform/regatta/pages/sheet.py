"""The whole tear sheet of the live book, and all its series as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.pages.context import required
from regatta.pages.downloads import csv_file
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament


@dataclass(frozen=True, slots=True)
class Written:
    """A sheet as a page takes it."""

    lede: str
    verdict: SafeString
    sections: tuple[SafeString, ...]
    numbers: SafeString
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@open_to_all()
@require_safe
def tear_sheet(request: HttpRequest) -> HttpResponse:
    """Every figure of the book's course so far."""
    tournament = required(request)
    context = {"tournament": tournament, "sheet": newest(tournament)}
    return render(request, "pages/tear_sheet.html", context)


@open_to_all()
@require_safe
def series_file(request: HttpRequest) -> HttpResponse:
    """Every series of the sheet, day by day."""
    tournament = required(request)
    sheet = newest(tournament)
    if sheet is None:
        raise Http404("the book has no ten days yet")
    return csv_file(f"series_{tournament.slug}", sheet.head, sheet.rows)


def newest(tournament: Tournament) -> Written | None:
    """The sheet up to the newest value; None before there are enough days. Written once for each newest value."""
    day = NavPoint.objects.filter(tournament=tournament).order_by("-date").values_list("pk", flat=True).first()
    books = Rebalance.objects.filter(round__tournament=tournament).count()
    return None if day is None else _written(tournament.pk, day, books)


@lru_cache(maxsize=8)
def _written(tournament: int, day: int, books: int) -> Written | None:
    """`day` and `books` name the state of the course that the sheet is of."""
    from regatta.portfolios.records import live_record  # these load the compiler: not before someone asks for a sheet
    from tournament.portfolio.report import lede
    from tournament.portfolio.sheet import written
    from tournament.portfolio.sheet.sheet import sheet_of

    found = Tournament.objects.get(pk=tournament)
    record = live_record(found, found.now())
    if record is None:
        return None
    sheet = sheet_of(record)
    return Written(
        lede(record), mark_safe(written.verdict(sheet)),
        tuple(mark_safe(written.section(one)) for one in sheet.sections), mark_safe(written.numbers(sheet)),
        tuple(sheet.series.columns), tuple(sheet.series.itertuples(index=False, name=None)),
    )  # fmt: skip
