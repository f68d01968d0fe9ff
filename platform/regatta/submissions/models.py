"""Contributed models and what they submit."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from regatta.rounds.models import Round, Tournament

NAME_RULE = r"\A[a-z][a-z0-9_]{2,39}\Z"
MAX_NAME = 40
EXAMPLE_PREFIX, BENCHMARK_PREFIX = "example_", "benchmark_"
"""How names of models begin that the platform itself sails."""


class ContributedModel(models.Model):
    """A contributor's slot in a tournament."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="models")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=MAX_NAME, unique=True, validators=[RegexValidator(NAME_RULE)])
    is_benchmark = models.BooleanField(default=False)
    is_experimental = models.BooleanField(
        default=False, help_text="Scored and shown on its own page; off the board, off the blend, off the stakes."
    )
    description = models.TextField(blank=True)
    link_url = models.URLField(blank=True, help_text="Where the model's page points to.")
    link_text = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a new model that would pass for one of the platform's. Raises ValidationError."""
        for prefix in (EXAMPLE_PREFIX, BENCHMARK_PREFIX):
            if self._state.adding and self.name.startswith(prefix):
                raise ValidationError({"name": f"Names that begin with {prefix} are the platform's."})


class Submission(models.Model):
    """One uploaded file and what became of it."""

    class Status(models.TextChoices):
        """What became of it."""

        RECEIVED = "RECEIVED"
        ACCEPTED = "ACCEPTED"
        REJECTED = "REJECTED"

    model = models.ForeignKey(ContributedModel, on_delete=models.CASCADE, related_name="submissions")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="submissions")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    is_late = models.BooleanField(default=False)
    filename = models.CharField(max_length=120)
    file_sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    rows = models.PositiveIntegerField(default=0)
    values_sha256 = models.CharField(max_length=64, blank=True)
    faults = models.JSONField(default=list)
    source = models.CharField(max_length=10, default="api")
    trigger_id = models.CharField(
        max_length=80, blank=True, help_text="As the client gave it: the message of ours that its run answers."
    )
    received_at = models.DateTimeField()
    validated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["round", "status", "model"], name="submissions_of_round"),
            models.Index(fields=["trigger_id"], name="submissions_triggered", condition=~Q(trigger_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} for {self.round_id}: {self.status}"
