"""Diagnoses of predictions over the validation eras: their owner's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners
from regatta.api.envelope import refuse_larger
from regatta.api.guard import Takes, contributor
from regatta.api.v1.finding import asked_model, the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told
from regatta.diagnostics.figuring import ask, trouble
from regatta.diagnostics.models import Diagnosis

room = Room("diagnoses")
PLAIN = ("id", "filename", "status", "message", "summary", "created_at", "updated_at")


class DiagnosisAnswer(Told):
    """A file over validation eras, and what it scored over all of them."""

    id: int
    model: str
    filename: str
    status: str = Field(description="pending, done or failed")
    message: str
    summary: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class DiagnosisDetail(DiagnosisAnswer):
    """The same with the figures of each era and of each regime."""

    eras: list[dict[str, Any]]
    regimes: list[dict[str, Any]]


class ForModel(Asked):
    """For which model a file is."""

    model: str = Field("", max_length=200)


@room.get("/diagnoses/", Page[DiagnosisAnswer])
@for_contributors(scope="read")
def index(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Your diagnoses, the newest first."""
    found = Diagnosis.objects.filter(model__owner=contributor(request)).select_related("model")
    return page(request, found.defer("eras", "regimes"), paging, _plain, newest_first=True)


@room.post("/diagnoses/", DiagnosisAnswer, 202, takes=Takes.FILE)
@for_contributors(scope="submit")
def create(request: HttpRequest, meant: Query[ForModel]) -> dict[str, Any]:
    """Upload predictions of validation eras as the body; the figures come within seconds.

    `?model=name`. A header `X-Filename` names the file.
    """
    model = asked_model(request, meant.model)
    refuse_larger(request, model.tournament.parsed_rules().max_upload_bytes)
    filename = request.headers.get("X-Filename") or "predictions.csv"
    return _plain(ask(model, request.body, filename=filename, now=timezone.now()))


@room.get("/diagnoses/{int:pk}/", DiagnosisDetail)
@for_owners("diagnosis", scope="read")
def detail(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One of your diagnoses with the figures of each era and regime."""
    own = Diagnosis.objects.filter(model__owner=contributor(request)).select_related("model")
    found = the(own, "diagnosis", pk=pk)
    told = _plain(found) | {"eras": found.eras, "regimes": found.regimes}
    broken = trouble(found) if found.status == Diagnosis.Status.PENDING else ""
    return told | ({"status": Diagnosis.Status.FAILED.value, "message": broken} if broken else {})


def _plain(row: Diagnosis) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PLAIN} | {"model": row.model.name}
