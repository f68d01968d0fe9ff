"""Submissions of whoever holds the key: their owner's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners
from regatta.api.envelope import Refusal, refuse_larger
from regatta.api.exchange import plain_name
from regatta.api.files import file_answer
from regatta.api.guard import Takes, contributor
from regatta.api.v1.finding import HEAVY_OF_ROUND, asked_model, the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import FILE, Asked, Room, Told
from regatta.ensemble.likeness import likeness_of
from regatta.rounds.models import Round
from regatta.security import asked_number
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from regatta.submissions.slots import not_open

room = Room("submissions")
PLAIN = ("id", "status", "is_late", "rows", "size", "faults", "received_at", "filename", "file_sha256", "source")


class SubmissionAnswer(Told):
    """A file and what became of it, as its owner sees it."""

    id: int
    model: str
    round: int
    status: str
    is_late: bool
    rows: int
    size: int
    faults: list[dict[str, Any]]
    filename: str
    file_sha256: str
    source: str
    received_at: datetime


class SubmissionDetail(SubmissionAnswer):
    """The same with whether models rank the assets almost as it does."""

    alike: dict[str, Any] | None


class Meant(Asked):
    """For which model and round a file is."""

    model: str = Field("", max_length=200)
    round: str = Field("", description="A number; the open round.")


class SubmissionPaging(Paging):
    """Which submissions."""

    model: str = Field("", max_length=200, description="Of this model of yours alone.")


@room.get("/submissions/", Page[SubmissionAnswer])
@for_contributors(scope="read")
def index(request: HttpRequest, paging: Query[SubmissionPaging]) -> dict[str, Any]:
    """Your submissions, the newest first."""
    found = _own(request)
    if paging.model:
        found = found.filter(model=asked_model(request, paging.model))
    return page(request, found, paging, submission_answer, newest_first=True)


@room.post("/submissions/", SubmissionAnswer, takes=Takes.FILE)
@for_contributors(scope="submit")
def submit(request: HttpRequest, meant: Query[Meant]) -> dict[str, Any]:
    """Upload predictions as the body: CSV or Parquet.

    `?model=name` and, unless the open round is meant, `&round=number`. A header `X-Filename` names the file. A file
    with faults is kept as REJECTED and answered with all of them.
    """
    model = asked_model(request, meant.model)
    refuse_larger(request, model.tournament.parsed_rules().max_upload_bytes)
    round = _round(model, meant.round)
    round.tournament = model.tournament  # read already
    filename = request.headers.get("X-Filename") or "predictions.csv"
    now = model.tournament.now()
    return submission_answer(receive(model, round, request.body, filename=filename, source="api", now=now))


@room.get("/submissions/{int:pk}/", SubmissionDetail)
@for_owners("submission", scope="read")
def detail(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One of your submissions, and whether models rank the assets almost as it does."""
    found = the(_own(request).select_related("round__tournament").defer(None), "submission", pk=pk)
    alike = likeness_of(found)
    return submission_answer(found) | {"alike": alike and alike.plain()}


@room.get("/submissions/{int:pk}/file/", FILE)
@for_owners("submission", scope="read")
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was sent."""
    found = the(_own(request), "submission", pk=pk)
    return file_answer(request, found.file_sha256, plain_name(found))


def submission_answer(submission: Submission) -> dict[str, Any]:
    """A submission as its owner sees it."""
    plain = {name: getattr(submission, name) for name in PLAIN}
    return plain | {"round": submission.round.number, "model": submission.model.name}


def _own(request: HttpRequest) -> QuerySet[Submission]:
    found = Submission.objects.filter(model__owner=contributor(request)).select_related("model", "round")
    return found.defer(*HEAVY_OF_ROUND)


def _round(model: ContributedModel, number: str) -> Round:
    """The round asked for, or the open one. Raises Refusal."""
    rounds = Round.objects.filter(tournament=model.tournament)
    if number:
        asked = asked_number(number)
        found = None if asked is None else rounds.filter(number=asked).order_by("number").first()
        if found is None:
            raise Refusal(404, "no_round", f"there is no round {number[:40]!r}", "ask /rounds/ for their numbers")
        return found
    found = rounds.filter(status=Round.Status.OPEN).order_by("-number").first()
    if found is None:
        fault = not_open(model.tournament)
        raise Refusal(409, fault.code, fault.message, fault.hint)
    return found
