"""The tasks that messages name; all are wake-up calls, none carries work."""

from __future__ import annotations

import logging
import os
import socket

from celery import shared_task
from django.utils import timezone

from regatta.jobs import flow
from regatta.jobs.models import Job
from workers.running import run_job
from workers.sandbox.verdict import verdict

log = logging.getLogger(__name__)


@shared_task(name="workers.run_jobs")
def run_jobs(queue: str) -> None:
    """Run the jobs of a queue until none waits; untrusted ones only where a sandbox holds."""
    if queue == Job.Queue.SANDBOX and not verdict().is_safe:
        log.error("jobs of queue %s are left waiting: %s", queue, verdict())
        return
    flow.run_all(queue, f"{socket.gethostname()}:{os.getpid()}", run_job, clock=timezone.now)


@shared_task(name="workers.sweep")
def sweep() -> None:
    """Give up or requeue what lost its worker, ask for deliveries and mails whose pause is over, ring for every queue
    that has work waiting, forget expired uploads, answers and counters.
    """
    from regatta.api import limits, repeats
    from regatta.hosting.lost import blame_platform_for_lost
    from regatta.notifications.mailing import sweep as sweep_mails
    from regatta.uploads.steps import sweep as sweep_uploads
    from regatta.webhooks.delivering import sweep as sweep_deliveries

    blame_platform_for_lost(timezone.now())
    sweep_deliveries(timezone.now())
    sweep_mails(timezone.now())
    for queue in flow.sweep(now=timezone.now()):
        flow.wake(queue)
    sweep_uploads(timezone.now())
    repeats.sweep()
    limits.sweep(timezone.now())


@shared_task(name="workers.tick")
def tick() -> None:
    """Let every tournament on the wall clock do what is due; a replay is ticked by whoever drives its clock."""
    from regatta.rounds.models import Tournament
    from regatta.rounds.schedule import tick as tick_tournament

    for tournament in Tournament.objects.filter(is_paused=False, clock_at=None):
        tick_tournament(tournament, tournament.now())
