"""The leaderboard: as stored, sorted and filtered as the address says, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.cells import spark
from regatta.charts.intervals import scale_of, whisker
from regatta.pages.downloads import csv_file, json_file
from regatta.rounds.models import Tournament
from regatta.scores.board import whole
from regatta.scores.models import Leaderboard
from regatta.security import asked_number

SORTS = {
    "rank": "Rank", "rank_change": "Change", "model": "Model", "corr": "Corr", "mmc": "MMC", "bmc": "BMC", "fnc": "FNC",
    "max_feature_exposure": "Exposure", "contribution": "Contrib.", "best_regime": "Best in", "weight": "Weight",
    "rounds": "Rounds",
}  # fmt: skip
RISING = frozenset({"rank", "model", "best_regime", "max_feature_exposure"})
"""Columns whose first click puts the least on top."""
KINDS = {"": "All", "contributed": "Contributed", "benchmark": "Benchmarks"}
FILE_COLUMNS = (
    "rank", "rank_change", "model", "owner", "is_benchmark", "corr", "corr_se", "mmc", "mmc_se", "bmc", "bmc_se", "fnc",
    "fnc_se", "max_feature_exposure", "contribution", "contribution_se", "mpc", "mpc_se", "percentile", "rounds",
    "weight", "best_regime", "best_regime_corr",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What part of the board is asked for, and in which order."""

    sort: str = "rank"
    is_rising: bool = True
    text: str = ""
    kind: str = ""
    regime: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Wish:
        """The wish of an address; unknown columns and kinds mean the usual."""
        sort = query.get("sort", "rank")
        sort = sort if sort in SORTS else "rank"
        usual = "up" if sort in RISING else "down"
        kind = query.get("kind", "")
        return cls(
            sort, query.get("order", usual) == "up", query.get("q", "").strip().lower()[:60],
            kind if kind in KINDS else "", query.get("regime", ""),
        )  # fmt: skip

    def of_rows(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that are wanted, in order; unknown values come last either way."""
        wanted = [row for row in rows if self._wants(row)]
        known = [row for row in wanted if row.get(self.sort) is not None]
        unknown = [row for row in wanted if row.get(self.sort) is None]
        return sorted(known, key=lambda row: row[self.sort], reverse=not self.is_rising) + unknown

    def _wants(self, row: dict[str, Any]) -> bool:
        named = not self.text or self.text in row["model"] or self.text in row["owner"].lower()
        of_kind = not self.kind or row["is_benchmark"] == (self.kind == "benchmark")
        return named and of_kind and (not self.regime or row.get("best_regime") == self.regime)


@dataclass(frozen=True, slots=True)
class Column:
    """A head of the table: its name, the address that sorts by it, and how it is sorted now."""

    key: str
    name: str
    url: str
    sorted: str


@open_to_all(of="tournament")
@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    """The stored board, the newest or that of `?round=`, sorted and filtered."""
    tournament = get_object_or_404(Tournament, slug=slug)
    board, wish = find_board(tournament, request.GET), Wish.of(request.GET)
    everything = board.rows if board else []
    scale = scale_of([(row["corr"], row["corr_se"]) for row in everything])
    rows = [
        whole(row) | {"curve": spark(row["spark"]), "whisker": whisker(row["corr"], row["corr_se"], scale)}
        for row in wish.of_rows(everything)
    ]
    context = {
        "tournament": tournament, "board": board, "rows": rows, "total": len(everything), "wish": wish,
        "columns": {column.key: column for column in columns(request.GET, wish)}, "kinds": KINDS,
        "regimes": sorted({row["best_regime"] for row in everything if row.get("best_regime")}),
        "owners": len({row["owner"] for row in everything}), "neighbours": neighbours(tournament, board),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "pages/leaderboard.html", context)


@open_to_all(of="tournament")
@require_safe
def leaderboard_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """What the page of the same query shows, as CSV. Raises Http404 before the first board."""
    board = board_or_404(slug, request.GET)
    rows = ([row.get(column) for column in FILE_COLUMNS] for row in Wish.of(request.GET).of_rows(board.rows))
    return csv_file(f"leaderboard_{slug}_round_{board.round.number}", FILE_COLUMNS, rows)


@open_to_all(of="tournament")
@require_safe
def leaderboard_json(request: HttpRequest, slug: str) -> HttpResponse:
    """What the page of the same query shows, as JSON. Raises Http404 before the first board."""
    board = board_or_404(slug, request.GET)
    rows = [{name: row.get(name) for name in FILE_COLUMNS} for row in Wish.of(request.GET).of_rows(board.rows)]
    data = {"tournament": slug, "round": board.round.number, "rows": rows}
    return json_file(f"leaderboard_{slug}_round_{board.round.number}", data)


def board_or_404(slug: str, query: QueryDict) -> Leaderboard:
    """The board that is asked for. Raises Http404 when there is none."""
    board = find_board(get_object_or_404(Tournament, slug=slug), query)
    if board is None:
        raise Http404("there is no such board; the first comes when a round resolves")
    return board


def find_board(tournament: Tournament, query: QueryDict) -> Leaderboard | None:
    """The board after the round asked for, else the newest."""
    boards = Leaderboard.objects.filter(tournament=tournament).select_related("round")
    number = asked_number(query.get("round", ""))
    return boards.first() if number is None else boards.filter(round__number=number).first()


def columns(query: QueryDict, wish: Wish) -> list[Column]:
    """Heads whose address sorts by their column; the column in use turns around."""
    out = []
    for key, name in SORTS.items():
        rising = not wish.is_rising if key == wish.sort else key in RISING
        kept = {name: value for name, value in query.items() if name not in ("sort", "order") and value}
        url = "?" + urlencode(kept | {"sort": key, "order": "up" if rising else "down"})
        now = ("ascending" if wish.is_rising else "descending") if key == wish.sort else ""
        out.append(Column(key, name, url, now))
    return out


def neighbours(tournament: Tournament, board: Leaderboard | None) -> dict[str, int | None]:
    """Numbers of the boards before and after this one, and of the first and last."""
    if board is None:
        return {}
    numbers = list(
        Leaderboard.objects.filter(tournament=tournament)
        .order_by("round__number")
        .values_list("round__number", flat=True)
    )
    place = numbers.index(board.round.number)
    after = numbers[place + 1] if place + 1 < len(numbers) else None
    return {"before": numbers[place - 1] if place else None, "after": after, "first": numbers[0], "last": numbers[-1]}
