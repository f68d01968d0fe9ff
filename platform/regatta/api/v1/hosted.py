"""Hosted models: files that the platform runs each round; their owner's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query
from pydantic import Field

from regatta.access import for_owners
from regatta.api.envelope import refuse_larger
from regatta.api.guard import Takes, contributor
from regatta.api.v1.finding import own_model, the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Room, Told
from regatta.hosting import sailing
from regatta.hosting.intake import take_in
from regatta.hosting.models import HostedModel, HostedRun
from regatta.hosting.repeating import try_again
from tournament.hosted.formats import MAX_BYTES

room = Room("hosted")
PLAIN = (
    "number", "filename", "format", "about", "sha256", "size", "is_assigned", "state", "faults", "created_at",
    "finished_at",
)  # fmt: skip


class HostedAnswer(Told):
    """One version of a slot's file."""

    model: str
    number: int
    filename: str
    format: str
    about: str
    sha256: str
    size: int
    is_assigned: bool = Field(description="It runs in every round.")
    state: str = Field(description="ERROR is the platform's fault and counts for nothing, FAILED the model's.")
    faults: list[dict[str, Any]]
    created_at: datetime
    finished_at: datetime | None


class HostedDetail(HostedAnswer):
    """The same with its log, and how it would have done on the validation eras."""

    log: str
    diagnostics: dict[str, Any]


class Run(Told):
    """A version's answer to one round."""

    id: int
    number: int
    round: int
    state: str
    faults: list[dict[str, Any]]
    log: str
    seconds: float | None
    submission: int | None
    created_at: datetime
    finished_at: datetime | None


@room.get("/models/{str:name}/hosted/", Page[HostedAnswer])
@for_owners("model", scope="read")
def index(request: HttpRequest, name: str, paging: Query[Paging]) -> dict[str, Any]:
    """Versions of a model's file, the newest first."""
    found = HostedModel.objects.filter(model=own_model(request, name)).select_related("model")
    return page(request, found.defer("log", "diagnostics"), paging, _plain, by=("number",), newest_first=True)


@room.post("/models/{str:name}/hosted/", HostedAnswer, 202, takes=Takes.FILE)
@for_owners("model", scope="submit")
def upload(request: HttpRequest, name: str) -> dict[str, Any]:
    """Hand in a model file as the body: ONNX, LightGBM text, safetensors or skops.

    Its format is told at once, its check is promised. A header `X-Filename` names the file.
    """
    model = own_model(request, name)
    refuse_larger(request, MAX_BYTES)
    filename = request.headers.get("X-Filename") or "model"
    return _plain(take_in(model, request.body, filename=filename, by=contributor(request), now=timezone.now()))


@room.get("/models/{str:name}/hosted/{int:number}/", HostedDetail)
@for_owners("hosted", scope="read")
def detail(request: HttpRequest, name: str, number: int) -> dict[str, Any]:
    """One version with its log and its diagnosis."""
    found = _own(request, name, number)
    return _plain(found) | {"log": found.log, "diagnostics": found.diagnostics}


@room.get("/models/{str:name}/hosted/{int:number}/runs/", Page[Run])
@for_owners("hosted", scope="read")
def runs(request: HttpRequest, name: str, number: int, paging: Query[Paging]) -> dict[str, Any]:
    """What a version did in the rounds, the newest first."""
    found = HostedRun.objects.filter(hosted=_own(request, name, number)).select_related("hosted")
    return page(request, found.annotate(of_round=F("round__number")), paging, _run, newest_first=True)


@room.post("/models/{str:name}/hosted/{int:number}/assign/", HostedAnswer, 200)
@for_owners("hosted", scope="manage")
def assign(request: HttpRequest, name: str, number: int) -> dict[str, Any]:
    """Let a version that was found good run in every round, the open ones included."""
    found = _own(request, name, number)
    sailing.assign(found, found.model.tournament.now())
    return _plain(found)


@room.post("/models/{str:name}/hosted/{int:number}/take-off/", HostedAnswer, 200)
@for_owners("hosted", scope="manage")
def take_off(request: HttpRequest, name: str, number: int) -> dict[str, Any]:
    """Let a version run no more; what it has sent stays."""
    found = _own(request, name, number)
    sailing.take_off(found)
    return _plain(found)


@room.post("/models/{str:name}/hosted/{int:number}/try-again/", HostedAnswer, 202)
@for_owners("hosted", scope="manage")
def repeat(request: HttpRequest, name: str, number: int) -> dict[str, Any]:
    """Repeat a check and runs that ended by the platform's fault."""
    found = _own(request, name, number)
    try_again(found, timezone.now())
    found.refresh_from_db()
    return _plain(found)


def _own(request: HttpRequest, name: str, number: int) -> HostedModel:
    """A version of one of the asker's own slots. Raises Refusal."""
    found: QuerySet[HostedModel] = HostedModel.objects.select_related("model__tournament", "model__owner")
    return the(found, "version", model__owner=contributor(request), model__name=name, number=number)


def _plain(row: HostedModel) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PLAIN} | {"model": row.model.name}


def _run(row: Any) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("id", "state", "faults", "log", "seconds")}
    times = {"created_at": row.created_at, "finished_at": row.finished_at}
    return told | times | {"number": row.hosted.number, "round": row.of_round, "submission": row.submission_id}
