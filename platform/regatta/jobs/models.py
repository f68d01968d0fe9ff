"""The Job row: the truth about work; a queue message only says that there may be some."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Job(models.Model):
    """One piece of work: claimed under a lease, fenced by its attempt number, finished once."""

    class State(models.TextChoices):
        """Where the work stands."""

        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"

    class Fault(models.TextChoices):
        """Whose fault a failure is."""

        NONE = "", "none"
        USER = "user"
        PLATFORM = "platform"

    class Queue(models.TextChoices):
        """Queues by the resource they need."""

        IO = "io"
        SCORE = "score"
        SANDBOX = "sandbox"
        GPU = "gpu"

    kind = models.CharField(max_length=60)
    queue = models.CharField(max_length=10, choices=Queue.choices)
    payload = models.JSONField(default=dict)
    key = models.CharField(max_length=200, unique=True, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    fault = models.CharField(max_length=10, choices=Fault.choices, blank=True)
    reason = models.TextField(blank=True, help_text="What the owner reads.")
    detail = models.TextField(blank=True, help_text="What staff read: the traceback.")
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["queue", "id"], name="jobs_waiting", condition=models.Q(state__in=["QUEUED", "RUNNING"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk} {self.state}"
