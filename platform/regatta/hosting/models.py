"""Hosted models: versions of a slot's file, their runs, and what sandboxes said of themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from regatta.rounds.models import Round
from regatta.submissions.models import ContributedModel, Submission
from tournament.errors import Fault


class State(models.TextChoices):
    """Where a check or a run stands; ERROR is the platform's fault and counts for nothing, FAILED the model's."""

    PENDING = "PENDING"
    VALIDATING = "VALIDATING"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    FAILED = "FAILED"


WAITING = (State.PENDING, State.VALIDATING, State.RUNNING, State.ERROR)
"""States that a worker may still change."""


class Logged(models.Model):
    """A row with a state, and a log that its owner may read."""

    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    faults = models.JSONField(default=list)
    log = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def tell(self, line: str) -> None:
        """Add a line with the time to the log; it is written by `move`."""
        self.log += f"{timezone.now():%Y-%m-%d %H:%M:%S} {line}\n"

    def move(self, state: State, line: str, **changes: object) -> bool:
        """Change the state and tell why; False (and no effect) when the row has found its end before."""
        self.tell(line)
        waiting = type(self).objects.filter(pk=self.pk, state__in=WAITING)  # type: ignore[attr-defined]
        moved = bool(waiting.update(state=state, log=self.log, **changes))
        self.refresh_from_db()
        return moved

    def explained(self) -> list[Fault]:
        """The faults as they were found."""
        return [Fault(**fault) for fault in self.faults]


class HostedModel(Logged):
    """One version of a slot's file: what it is, whether it was found good, whether it sails."""

    model = models.ForeignKey(ContributedModel, on_delete=models.CASCADE, related_name="hosted")
    number = models.PositiveIntegerField(help_text="Versions of a slot are counted from 1.")
    filename = models.CharField(max_length=120)
    format = models.CharField(max_length=12)
    about = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    is_assigned = models.BooleanField(default=False, help_text="It runs in every round of its slot.")
    diagnostics = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="hosted_version_once"),
            models.UniqueConstraint(fields=["model"], condition=Q(is_assigned=True), name="one_version_sails"),
        ]

    def __str__(self) -> str:
        return f"{self.model} version {self.number}"


class HostedRun(Logged):
    """One version's answer to one round."""

    hosted = models.ForeignKey(HostedModel, on_delete=models.CASCADE, related_name="runs")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="hosted_runs")
    submission = models.ForeignKey(Submission, on_delete=models.SET_NULL, null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["hosted", "round"], name="hosted_run_once")]

    def __str__(self) -> str:
        return f"{self.hosted} in round {self.round.number}"


class SandboxReport(models.Model):
    """What a worker found when it tried to escape from its own sandbox."""

    worker = models.CharField(max_length=120, unique=True)
    is_safe = models.BooleanField()
    level = models.CharField(max_length=120)
    tried = models.JSONField(default=list)
    escaped = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["worker"]

    def __str__(self) -> str:
        return f"{self.worker}: {self.level}"

    @classmethod
    def record(cls, worker: str, *, now: datetime, **found: object) -> None:
        """Keep the newest report of a worker."""
        cls.objects.update_or_create(worker=worker, defaults=found | {"checked_at": now})
