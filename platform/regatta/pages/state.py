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

from regatta.access import open_to_all
from regatta.health import state_of_parts
from regatta.hosting.models import SandboxReport
from regatta.jobs.models import Job
from regatta.pages.context import duration, tournaments
from regatta.rounds.next_step import next_step

SHOWN_JOBS = 10


@dataclass(frozen=True, slots=True)
class QueueState:
    """Jobs of one queue by state, and how long the oldest waits."""

    name: str
    queued: int
    running: int
    done: int
    failed: int
    waits: str


@open_to_all()
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
        "due": [next_step(one) for one in tournaments(request)],
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
