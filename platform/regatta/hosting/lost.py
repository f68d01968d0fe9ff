"""Checks and runs whose job was given up with its worker: without their job, nobody would end them."""

from __future__ import annotations

from datetime import datetime, timedelta

from regatta.hosting.models import HostedModel, HostedRun, Logged, State
from regatta.jobs.models import Job

RECENT = timedelta(hours=1)
UNDER_WAY = (State.PENDING, State.VALIDATING, State.RUNNING)
LINE = "The platform gave up: the work did not end in any attempt. The fault is not the model's and counts for nothing."


def blame_platform_for_lost(now: datetime) -> int:
    """Mark as the platform's error what was under way in a job that has failed; how many were marked."""
    failed = Job.objects.filter(queue=Job.Queue.SANDBOX, state=Job.State.FAILED, finished_at__gt=now - RECENT)
    marked = 0
    for payload in failed.values_list("payload", flat=True):
        marked += _mark(HostedModel, payload.get("hosted")) + _mark(HostedRun, payload.get("run"))
    return marked


def _mark(kind: type[Logged], key: int | None) -> int:
    rows = kind.objects.filter(pk=key, state__in=UNDER_WAY) if key is not None else ()  # type: ignore[attr-defined]
    return sum(row.move(State.ERROR, LINE) for row in rows)
