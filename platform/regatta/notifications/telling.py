"""Promise that people are told; who and how is found out by the job, so that steps and uploads wait for nothing.

Where nobody asked, an opening or a resolution costs one query and writes nothing.
"""

from __future__ import annotations

from django.utils import timezone

from regatta.hosting.models import HostedRun
from regatta.jobs.flow import enqueue
from regatta.jobs.models import Job
from regatta.notifications.models import Event, Preference, Way
from regatta.rounds.models import Round
from regatta.submissions.models import Submission
from regatta.webhooks.models import Webhook


def announce(round: Round, event: Event) -> Job | None:
    """Promise to tell of a round that opened or was scored, once; None where nobody asked."""
    if not _is_heard(event):
        return None
    payload = {"event": event.value, "round": round.pk}
    return enqueue("notify", Job.Queue.IO, payload, now=timezone.now(), key=f"notify:{event}:{round.pk}")


def tell_of_failure(submission: Submission) -> Job | None:
    """Promise to tell of a file that was refused: once for each model and round, however many files are refused."""
    if submission.status != Submission.Status.REJECTED:
        return None
    payload = {"event": Event.REJECTED.value, "submission": submission.pk}
    key = f"notify:{Event.REJECTED}:{submission.round_id}:{submission.model_id}"
    return enqueue("notify", Job.Queue.IO, payload, now=timezone.now(), key=key)


def tell_of_failed_run(run: HostedRun) -> Job:
    """Promise to tell that a hosted model failed in a round; nobody sits beside it to see."""
    payload = {"event": Event.REJECTED.value, "run": run.pk}
    key = f"notify:{Event.REJECTED}:run:{run.pk}"
    return enqueue("notify", Job.Queue.IO, payload, now=timezone.now(), key=key)


def _is_heard(event: Event) -> bool:
    asked = Preference.objects.filter(event=event).exclude(way=Way.OFF)
    return asked.exists() or Webhook.objects.filter(is_active=True, events__contains=[event.value]).exists()
