"""Leaderboards as they stood when rounds resolved: open to all, served as stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.v1.finding import tournament_of
from regatta.api.v1.paging import OrderedPaging, Page, Paging, page, slice_of
from regatta.api.v1.rooms import Room, Told
from regatta.scores.models import Leaderboard
from regatta.security import asked_number

room = Room("leaderboards")


class Line(Told):
    """A model's line: means over the board's window, with their standard errors; null where there is no score."""

    rank: int
    rank_change: int | None
    model: str
    owner: str
    is_benchmark: bool
    corr: float | None
    corr_se: float | None
    mmc: float | None
    mmc_se: float | None
    bmc: float | None
    bmc_se: float | None
    fnc: float | None
    fnc_se: float | None
    max_feature_exposure: float | None
    max_feature_exposure_se: float | None
    contribution: float | None = None
    contribution_se: float | None = None
    mpc: float | None = None
    mpc_se: float | None = None
    percentile: float | None
    rounds: int
    weight: float | None
    best_regime: str | None
    best_regime_corr: float | None
    spark: list[float | None] = Field(description="Summed corr over the last rounds.")


class BoardAnswer(Page[Line]):
    """A part of one board; further parts are of the same board, whatever has resolved meanwhile."""

    round: int
    as_of: datetime


class BoardName(Told):
    """A board that there is."""

    round: int
    as_of: datetime
    etag: str


class BoardPaging(Paging):
    """Which part of which board."""

    round: str = Field("", description="The number of the round after which it stood; the newest.")


@room.get("/tournaments/{slug:slug}/leaderboard/", BoardAnswer)
@open_to_all(of="tournament")
def leaderboard(request: HttpRequest, slug: str, paging: Query[BoardPaging]) -> dict[str, Any]:
    """The newest board, or that of `?round=`."""
    boards = Leaderboard.objects.filter(tournament=tournament_of(slug)).select_related("round")
    boards = boards.only("as_of", "rows", "round__number")
    if paging.round:
        number = asked_number(paging.round)
        boards = boards.none() if number is None else boards.filter(round__number=number)
    board = boards.first()
    if board is None:
        raise Http404("there is no board yet; the first comes when a round resolves")
    part = slice_of(request, board.rows, paging, lambda row: row, of=str(board.round.number))
    return part | {"round": board.round.number, "as_of": board.as_of}


@room.get("/tournaments/{slug:slug}/leaderboards/", Page[BoardName])
@open_to_all(of="tournament")
def index(request: HttpRequest, slug: str, paging: Query[OrderedPaging]) -> dict[str, Any]:
    """The boards that there are."""
    found = Leaderboard.objects.filter(tournament=tournament_of(slug)).annotate(number=F("round__number"))
    return page(request, found.defer("rows"), paging, _name, by=("number",))


def _name(board: Any) -> dict[str, Any]:
    return {"round": board.number, "as_of": board.as_of, "etag": board.etag}
