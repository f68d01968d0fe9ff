"""Status: whether everything runs, what is being worked on, and what is due next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from regatta.health import state_of_parts
from regatta.hosting.models import SandboxReport
from regatta.jobs.models import Job
from regatta.pages.context import duration, tournaments
from regatta.rounds.models import Round, Tournament

SHOWN_JOBS = 10


@dataclass(frozen=True, slots=True)
class Due:
    """The next step of a tournament's schedule."""

    tournament: Tournament
    what: str
    at: datetime | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class QueueState:
    """Jobs of one queue by state, and how long the oldest waits."""

    name: str
    queued: int
    running: int
    done: int
    failed: int
    waits: str


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Parts, schedule and jobs."""
    checks = state_of_parts()
    now = timezone.now()
    busy = Job.objects.filter(state=Job.State.RUNNING).defer("payload", "result", "detail")[:SHOWN_JOBS]
    failed = Job.objects.filter(state=Job.State.FAILED).defer("payload", "result", "detail")[:SHOWN_JOBS]
    context = {
        "checks": checks, "is_well": set(checks.values()) == {"ok"}, "now": now, "queues": queues(now),
        "running": [(job, duration(now - job.started_at) if job.started_at else "") for job in busy],
        "sandboxes": SandboxReport.objects.all()[:SHOWN_JOBS], "failed": failed,
        "due": [due(one) for one in tournaments(request)],
    }  # fmt: skip
    return render(request, "pages/status.html", context)


def queues(now: datetime) -> list[QueueState]:
    """Every queue with its jobs by state."""
    rows = Job.objects.order_by().values("queue", "state").annotate(count=Count("id"), oldest=Min("created_at"))
    found = {(row["queue"], row["state"]): row for row in rows}
    out = []
    for name in Job.Queue.values:
        queued, running, done, failed = (
            found[name, state]["count"] if (name, state) in found else 0 for state in Job.State.values
        )
        waits = duration(now - found[name, "QUEUED"]["oldest"]) if queued else ""
        out.append(QueueState(name, queued, running, done, failed, waits))
    return out


def due(tournament: Tournament) -> Due:
    """What the tournament's clock waits for."""
    steps = [
        ("opens", "opens_at", [Round.Status.SCHEDULED]),
        ("closes", "closes_at", [Round.Status.OPEN]),
        ("resolves", "resolves_at", [Round.Status.CLOSED, Round.Status.RESOLVING]),
    ]
    found = []
    for word, field, states in steps:
        row = tournament.rounds.filter(status__in=states).order_by(field).values_list("number", field).first()
        if row is not None:
            found.append((row[1], f"round {row[0]} {word}"))
    if not found:
        return Due(tournament, "nothing", None, is_overdue=False)
    at, what = min(found)
    return Due(tournament, what, at, is_overdue=at < tournament.now())
