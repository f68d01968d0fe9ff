"""Rounds that have opened: open to all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query
from pydantic import BeforeValidator, Field

from regatta.access import open_to_all
from regatta.api.v1.finding import HEAVY, opened, round_of, tournament_of
from regatta.api.v1.paging import OrderedPaging, Page, page
from regatta.api.v1.rooms import Room, Told
from regatta.rounds.models import Round

room = Room("rounds")
PLAIN = (
    "number", "status", "era", "opens_at", "closes_at", "resolves_at", "universe_size", "panel_sha256", "as_of",
    "sealed_at", "resolved_at", "target_sha256",
)  # fmt: skip


class RoundAnswer(Told):
    """One cross-section that contributors predict."""

    number: int
    status: str
    era: str
    as_of: date = Field(description="The last trading day whose prices the live features use.")
    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime
    live_file: str | None
    universe_size: int
    panel_sha256: str = Field(description="The seal of what was submitted; empty before the close.")
    target_sha256: str
    sealed_at: datetime | None
    resolved_at: datetime | None


class RoundDetail(RoundAnswer):
    """The same with the models that count in it."""

    models: list[str]


class RoundPaging(OrderedPaging):
    """Which rounds."""

    status: Annotated[Literal["", "OPEN", "CLOSED", "RESOLVING", "RESOLVED"], BeforeValidator(str.upper)] = Field(
        "", description="Any case."
    )


@room.get("/tournaments/{slug:slug}/rounds/", Page[RoundAnswer])
@open_to_all(of="tournament")
def index(request: HttpRequest, slug: str, paging: Query[RoundPaging]) -> dict[str, Any]:
    """Rounds that have opened."""
    found = opened(tournament_of(slug)).defer(*HEAVY)
    if paging.status:
        found = found.filter(status=paging.status)
    return page(request, found, paging, round_answer, by=("number",))


@room.get("/tournaments/{slug:slug}/rounds/{int:number}/", RoundDetail)
@open_to_all(of="round")
def detail(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    """One round with the models whose predictions were sealed in it."""
    found = round_of(slug, number)
    return round_answer(found) | {"models": found.panel_models}


def round_answer(round: Round) -> dict[str, Any]:
    """What everybody may know of a round."""
    live = f"live_{round.number:05d}.parquet" if round.live_sha256 else None
    return {name: getattr(round, name) for name in PLAIN} | {"live_file": live}
