"""Enqueue, claim, keep alive, finish and sweep jobs.

Every change is a conditional update on (id, attempt, state): a worker that lost its lease changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When

from regatta.jobs.models import Job

LEASE = timedelta(seconds=30)
log = logging.getLogger(__name__)


def enqueue(kind: str, queue: str, payload: dict[str, Any], *, now: datetime, key: str | None = None) -> Job:
    """Promise work and, after commit, wake a worker; the same key promises it once."""
    if key is None:
        job = Job.objects.create(kind=kind, queue=queue, payload=payload, created_at=now)
    else:
        defaults = {"kind": kind, "queue": queue, "payload": payload, "created_at": now}
        job, _ = Job.objects.get_or_create(key=key, defaults=defaults)
    transaction.on_commit(lambda: wake(queue))
    return job


def wake(queue: str) -> None:
    """Ring the bell of a queue; nobody may hear it, the sweeper rings again."""
    from kombu.exceptions import OperationalError

    from regatta.celery import app

    try:
        app.send_task("workers.run_jobs", args=[queue], queue=queue, retry=False, expires=60)
    except (OperationalError, OSError) as error:
        log.warning("the broker did not take a wake-up for %s: %s", queue, error)


def claim(queue: str, worker: str, *, now: datetime) -> Job | None:
    """Take the oldest waiting job, or one whose lease has ended; None when there is none."""
    with transaction.atomic():
        waiting = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=now)
        candidates = Job.objects.filter(waiting, queue=queue, attempt__lt=F("max_attempts")).order_by("id")
        job = candidates.select_for_update(skip_locked=True).first()
        if job is None:
            return None
        job.state, job.attempt, job.worker = Job.State.RUNNING, job.attempt + 1, worker
        job.started_at, job.heartbeat_at, job.lease_until = now, now, now + LEASE
        job.save(update_fields=["state", "attempt", "worker", "started_at", "heartbeat_at", "lease_until"])
    return job


def heartbeat(job: Job, *, now: datetime) -> bool:
    """Prolong the lease; False when the job is no longer this attempt's."""
    return bool(_mine(job).update(heartbeat_at=now, lease_until=now + LEASE))


def finish(job: Job, result: dict[str, Any], *, now: datetime) -> bool:
    """Record the result; False (and no effect) when another attempt has taken over."""
    return bool(_mine(job).update(state=Job.State.DONE, result=result, finished_at=now, lease_until=None))


def fail(job: Job, *, fault: str, reason: str, detail: str, now: datetime) -> bool:
    """Record a failure; a fault of the platform is tried again until the attempts are used up."""
    again = fault == Job.Fault.PLATFORM and job.attempt < job.max_attempts
    state = Job.State.QUEUED if again else Job.State.FAILED
    changes: dict[str, Any] = {"state": state, "fault": fault, "reason": reason, "detail": detail, "lease_until": None}
    return bool(_mine(job).update(**changes, finished_at=None if again else now))


def retry(job: Job, *, now: datetime) -> bool:
    """Promise a failed job anew, with as many attempts as it had; False when it has not failed.

    The attempt number goes on, so a worker of an earlier attempt still changes nothing.
    """
    again: dict[str, Any] = {"state": Job.State.QUEUED, "fault": "", "reason": "", "finished_at": None}
    failed = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    late = Case(When(deadline_at__lt=now, then=None), default=F("deadline_at"))
    if not failed.update(**again, max_attempts=F("attempt") + F("max_attempts"), deadline_at=late):
        return False
    transaction.on_commit(lambda: wake(job.queue))
    return True


def sweep(*, now: datetime) -> Sequence[str]:
    """Requeue jobs whose worker vanished, fail those out of attempts or past their deadline; the queues to wake."""
    lost = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now)
    spent = Q(attempt__gte=F("max_attempts")) | Q(deadline_at__lt=now)
    reason = "The job did not end within its limits; this is the platform's fault and costs you nothing."
    lost.filter(spent).update(state=Job.State.FAILED, fault=Job.Fault.PLATFORM, reason=reason, finished_at=now)
    lost.exclude(spent).update(state=Job.State.QUEUED, lease_until=None)
    late = Job.objects.filter(state=Job.State.QUEUED, deadline_at__lt=now)
    late.update(state=Job.State.FAILED, fault=Job.Fault.PLATFORM, reason=reason, finished_at=now)
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by().values_list("queue", flat=True).distinct()
    return list(waiting)


def run_all(queue: str, worker: str, run: Callable[[Job], None], *, clock: Callable[[], datetime]) -> int:
    """Claim and run jobs of a queue until none is left; how many were run."""
    count = 0
    while (job := claim(queue, worker, now=clock())) is not None:
        run(job)
        count += 1
    return count


def _mine(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, state=Job.State.RUNNING)
