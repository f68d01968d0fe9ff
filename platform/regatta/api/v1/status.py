"""Whether everything runs, what is worked on, what is due next; open to all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Min
from django.http import HttpRequest
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.v1.rooms import Room, Told
from regatta.health import state_of_parts
from regatta.hosting.models import SandboxReport
from regatta.jobs.models import Job
from regatta.rounds.models import Tournament
from regatta.rounds.next_step import next_step

room = Room("status")


class Queue(Told):
    """Jobs of one queue in one state."""

    queue: str
    state: str
    jobs: int
    oldest_at: datetime


class Sandbox(Told):
    """What a worker found when it tried to escape from its own sandbox."""

    is_safe: bool
    level: str
    checked_at: datetime


class Due(Told):
    """The next step of a tournament's schedule."""

    tournament: str
    what: str
    at: datetime | None
    is_overdue: bool


class Status(Told):
    """The state of the site."""

    parts: dict[str, str] = Field(description="`ok`, or the kind of failure.")
    is_well: bool
    queues: list[Queue]
    sandboxes: list[Sandbox]
    due: list[Due]


@room.get("/status/", Status)
@open_to_all()
def status(request: HttpRequest) -> dict[str, Any]:
    """Parts, queues, sandboxes and what is due."""
    parts = state_of_parts()
    counted = Job.objects.order_by("queue", "state").values("queue", "state")
    queues = counted.annotate(jobs=Count("id"), oldest_at=Min("created_at"))
    sandboxes = SandboxReport.objects.values("is_safe", "level", "checked_at")
    return {
        "parts": parts, "is_well": set(parts.values()) == {"ok"}, "queues": list(queues), "sandboxes": list(sandboxes),
        "due": [_due(one) for one in Tournament.objects.all()],
    }  # fmt: skip


def _due(tournament: Tournament) -> dict[str, Any]:
    found = next_step(tournament)
    return {"tournament": tournament.slug, "what": found.what, "at": found.at, "is_overdue": found.is_overdue}
