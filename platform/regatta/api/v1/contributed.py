"""Contributed models: what everybody may know of them, and what their owners decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners, open_to_all
from regatta.api.envelope import Refusal
from regatta.api.guard import Takes, asker, contributor
from regatta.api.slots import open_slot
from regatta.api.v1.finding import model_of, own_model, own_models, tournament_of
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told
from regatta.ensemble.likeness import newest_of
from regatta.submissions.models import ContributedModel
from regatta.submissions.slots import set_experimental

room = Room("models")
PLAIN = ("name", "is_benchmark", "is_experimental", "description", "link_url", "link_text", "created_at")


class NewModel(Asked):
    """A slot to be opened."""

    tournament: str = Field(max_length=200)
    name: str = Field(max_length=200)


class Opened(Told):
    """A slot that is open."""

    name: str
    tournament: str


class ModelAnswer(Told):
    """A contributor's slot."""

    name: str
    tournament: str
    owner: str
    is_benchmark: bool
    is_experimental: bool
    description: str
    link_url: str
    link_text: str
    created_at: datetime


class ModelDetail(ModelAnswer):
    """The same with what only its owner is told."""

    is_own: bool
    alike: dict[str, Any] | None = Field(description="Models that rank assets almost as it does; told to its owner.")


class Choice(Asked):
    """Whether a model sails for itself alone."""

    experimental: str = Field(max_length=20, description="yes or no")


class ExperimentalAnswer(Told):
    """What it is now."""

    name: str
    experimental: bool


@room.get("/tournaments/{slug:slug}/models/", Page[ModelAnswer])
@open_to_all(of="tournament")
def of_tournament(request: HttpRequest, slug: str, paging: Query[Paging]) -> dict[str, Any]:
    """The models of a tournament, by name."""
    found = ContributedModel.objects.filter(tournament=tournament_of(slug)).select_related("tournament", "owner")
    return page(request, found, paging, _plain, by=("name",))


@room.get("/models/", Page[ModelAnswer])
@for_contributors(scope="read")
def index(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Your models, by name."""
    return page(request, own_models(request), paging, _plain, by=("name",))


@room.post("/models/", Opened, takes=Takes.JSON)
@for_contributors(scope="manage")
def create_model(request: HttpRequest, data: NewModel) -> dict[str, Any]:
    """Open a slot for a model."""
    tournament = tournament_of(data.tournament)
    model = open_slot(contributor(request), tournament, data.name)
    return {"name": model.name, "tournament": tournament.slug}


@room.get("/models/{str:name}/", ModelDetail)
@open_to_all(of="model")
def detail(request: HttpRequest, name: str) -> dict[str, Any]:
    """One model."""
    found, who = model_of(name), asker(request)
    is_own = who is not None and who.pk == found.owner_id
    alike = newest_of(found) if is_own else None
    return _plain(found) | {"is_own": is_own, "alike": alike and alike.plain()}


@room.post("/models/{str:name}/experimental/", ExperimentalAnswer, 200, takes=Takes.JSON)
@for_owners("model", scope="manage")
def experimental(request: HttpRequest, name: str, data: Choice) -> dict[str, Any]:
    """Take a model off board, blend and stakes, or put it back.

    Between rounds only. Rounds sealed before keep what it was.
    """
    model = own_model(request, name)
    if data.experimental not in ("yes", "no"):
        raise Refusal(422, "experimental", f"experimental is {data.experimental!r}", "send yes or no")
    set_experimental(model, data.experimental == "yes")
    return {"name": model.name, "experimental": model.is_experimental}


def _plain(model: ContributedModel) -> dict[str, Any]:
    told = {name: getattr(model, name) for name in PLAIN}
    return told | {"tournament": model.tournament.slug, "owner": model.owner.username}
