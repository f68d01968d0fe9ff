"""The workers' end of the queue: the site's Celery app with the tasks and the schedule."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery.signals import beat_init, celeryd_init, worker_ready
from django.conf import settings
from django.utils import timezone

from regatta import embedded
from regatta.celery import app
from regatta.environment import refuse_problems
from workers.schedule import SCHEDULE

app.conf.include = ["workers.tasks"]
app.conf.beat_schedule = SCHEDULE
app.conf.beat_schedule_filename = str(settings.REGATTA_VAR / "beat")


@celeryd_init.connect
@beat_init.connect
def prepare(**_: Any) -> None:
    """Refuse a wrong environment; without servers of one's own, bring the embedded ones up."""
    refuse_problems(settings.ENVIRONMENT_PROBLEMS)
    if settings.EMBEDDED_DATABASE:
        embedded.ensure_postgres()
    if settings.EMBEDDED_REDIS:
        embedded.ensure_redis()


@worker_ready.connect
def try_sandbox(sender: Any, **_: Any) -> None:
    """A worker that may be given untrusted models tries to escape from its own sandbox first."""
    from regatta.hosting.models import SandboxReport
    from regatta.jobs.models import Job
    from workers.sandbox.verdict import verdict

    if Job.Queue.SANDBOX in app.amqp.queues.consume_from:
        found = asdict(verdict()) | {"is_safe": verdict().is_safe}
        SandboxReport.record(sender.hostname, now=timezone.now(), **found)
