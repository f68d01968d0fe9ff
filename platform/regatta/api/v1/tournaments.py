"""Tournaments: open to all."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query

from regatta.access import open_to_all
from regatta.api.v1.datasets import FileAnswer, file_answer_of, newest_files
from regatta.api.v1.finding import tournament_of
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Room, Told
from regatta.api.v1.rounds import RoundAnswer, round_answer
from regatta.rounds.models import Tournament

room = Room("tournaments")


class TournamentAnswer(Told):
    """A competition with its rules."""

    slug: str
    name: str
    market: str
    rules: dict[str, Any]


class TournamentDetail(TournamentAnswer):
    """The same with its newest round, and its files."""

    round: RoundAnswer | None
    files: list[FileAnswer]


@room.get("/tournaments/", Page[TournamentAnswer])
@open_to_all()
def index(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """All tournaments, the oldest first."""
    return page(request, Tournament.objects.all(), paging, _plain)


@room.get("/tournaments/{slug:slug}/", TournamentDetail)
@open_to_all(of="tournament")
def detail(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One tournament with its newest round and its files."""
    found = tournament_of(slug)
    newest = found.rounds.newest()
    files = [file_answer_of(row) for row in newest_files(found)]
    return _plain(found) | {"round": round_answer(newest) if newest else None, "files": files}


def _plain(tournament: Tournament) -> dict[str, Any]:
    return {name: getattr(tournament, name) for name in ("slug", "name", "market", "rules")}
