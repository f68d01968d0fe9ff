"""Run one claimed job: keep its lease alive, call its handler, record how it ended."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from regatta.jobs import flow
from regatta.jobs.models import Job
from tournament.errors import RegattaError
from workers.handlers import HANDLERS

log = logging.getLogger(__name__)
BEAT_SECONDS = flow.LEASE.total_seconds() / 3


def run_job(job: Job) -> None:
    """Call the handler of the job's kind; what it refuses is the user's fault, all else the platform's."""
    try:
        with beating(job):
            result = _handle(job)
    except RegattaError as error:
        _fail(job, Job.Fault.USER, str(error))
    except Exception as error:
        log.exception("job %s (%s) failed in attempt %s", job.pk, job.kind, job.attempt)
        _fail(job, Job.Fault.PLATFORM, f"{type(error).__name__}: the platform will try again or look into it.")
    else:
        if not flow.finish(job, result, now=timezone.now()):
            log.warning("job %s: attempt %s had lost its lease; its result is dropped", job.pk, job.attempt)


@contextmanager
def beating(job: Job, seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Prolong the job's lease from a thread of its own while the block runs."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(job, ended, seconds), name=f"lease of job {job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(job: Job, ended: threading.Event, seconds: float) -> None:
    try:
        while not ended.wait(seconds):
            try:
                if not flow.heartbeat(job, now=timezone.now()):
                    return
            except DatabaseError as error:  # the database may be back before the lease ends
                log.warning("job %s: no heartbeat: %s", job.pk, error)
                connection.close()
    finally:
        connection.close()


def _handle(job: Job) -> dict[str, Any]:
    if job.kind not in HANDLERS:
        raise LookupError(f"no handler for jobs of kind {job.kind!r}; known: {', '.join(sorted(HANDLERS))}")
    return HANDLERS[job.kind](job.payload) or {}


def _fail(job: Job, fault: str, reason: str) -> None:
    flow.fail(job, fault=fault, reason=reason, detail=traceback.format_exc(), now=timezone.now())
