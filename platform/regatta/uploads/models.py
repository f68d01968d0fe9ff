"""Files on their way in: asked for, put, used."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from regatta.rounds.models import Tournament
from regatta.submissions.models import ContributedModel


class Upload(models.Model):
    """One address to put one file at, and what became of the file."""

    class Purpose(models.TextChoices):
        """What the file is to be used for."""

        PREDICTIONS = "predictions"
        DIAGNOSTICS = "diagnostics"
        MODEL = "model"

    class State(models.TextChoices):
        """How far the upload has come; every change is a conditional update from the state before."""

        ISSUED = "ISSUED"
        STORED = "STORED"
        USED = "USED"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    tournament = models.ForeignKey(Tournament, null=True, on_delete=models.CASCADE, related_name="uploads")
    model = models.ForeignKey(ContributedModel, null=True, on_delete=models.CASCADE, related_name="uploads")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    state = models.CharField(max_length=6, choices=State.choices, default=State.ISSUED)
    key = models.CharField(max_length=32, unique=True, help_text="Where the file waits among the incoming ones.")
    filename = models.CharField(max_length=140, unique=True, help_text="The name that the last step gives back.")
    original = models.CharField(max_length=120, help_text="The name on the contributor's side.")
    max_bytes = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    result_id = models.BigIntegerField(null=True, help_text="The row that the file became.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["expires_at"], name="uploads_unfinished", condition=models.Q(state__in=["ISSUED", "STORED"])
            )
        ]

    def __str__(self) -> str:
        return self.filename
