"""The workers' end of the queue: the site's Celery app with the tasks and the schedule."""

from __future__ import annotations

from typing import Any

from celery.signals import beat_init, celeryd_init
from django.conf import settings

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
