"""Jobs: staff see all, a contributor the work on their own files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from ninja import Query
from pydantic import BeforeValidator, Field

from regatta.access import for_contributors, for_owners_and_staff
from regatta.accounts.models import User
from regatta.api.guard import contributor
from regatta.api.v1.finding import the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Room, Told
from regatta.diagnostics.figuring import JOB as DIAGNOSIS
from regatta.diagnostics.models import Diagnosis
from regatta.hosting.intake import JOB as CHECK
from regatta.hosting.models import HostedModel, HostedRun
from regatta.hosting.sailing import JOB as RUN
from regatta.jobs.models import Job

room = Room("jobs")
PLAIN = (
    "id", "kind", "queue", "state", "attempt", "max_attempts", "fault", "reason", "created_at", "started_at",
    "finished_at",
)  # fmt: skip
INNER = ("payload", "result", "detail", "worker")


class JobAnswer(Told):
    """One piece of work."""

    id: int
    kind: str
    queue: str
    state: str
    attempt: int
    max_attempts: int
    fault: str = Field(description="user or platform; empty where nothing failed.")
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobDetail(JobAnswer):
    """The same with what only staff are told."""

    payload: dict[str, Any] | None
    result: dict[str, Any] | None
    detail: str | None = Field(description="The traceback.")
    worker: str | None


class JobPaging(Paging):
    """Which jobs."""

    state: Annotated[Literal["", "QUEUED", "RUNNING", "DONE", "FAILED"], BeforeValidator(str.upper)] = Field(
        "", description="Any case."
    )


@room.get("/jobs/", Page[JobAnswer])
@for_contributors(scope="read")
def index(request: HttpRequest, paging: Query[JobPaging]) -> dict[str, Any]:
    """Diagnoses, checks and runs of your files, the newest first; staff see all work."""
    found = _seen(contributor(request)).defer(*INNER)
    if paging.state:
        found = found.filter(state=paging.state)
    return page(request, found, paging, _plain, newest_first=True)


@room.get("/jobs/{int:pk}/", JobDetail)
@for_owners_and_staff("job", scope="read")
def detail(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One piece of work on your files; staff see any, with its traceback."""
    who = contributor(request)
    found = the(_seen(who), "job", pk=pk)
    return _plain(found) | {name: getattr(found, name) if who.is_staff else None for name in INNER}


def _seen(who: User) -> QuerySet[Job]:
    """What the asker may see; a contributor's by the keys under which work on their rows is promised."""
    if who.is_staff:
        return Job.objects.all()
    own = (
        (DIAGNOSIS, Diagnosis.objects.filter(model__owner=who)),
        (CHECK, HostedModel.objects.filter(model__owner=who)),
        (RUN, HostedRun.objects.filter(hosted__model__owner=who)),
    )
    first, *more = (_keys(prefix, rows) for prefix, rows in own)
    return Job.objects.filter(key__in=first.union(*more, all=True))


def _keys(prefix: str, rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    key = Concat(Value(prefix), Cast("pk", CharField()), output_field=CharField())
    return rows.order_by().annotate(job_key=key).values("job_key")


def _plain(row: Job) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PLAIN}
