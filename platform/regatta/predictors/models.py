"""Trained predictors of the platform."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from regatta.rounds.models import Tournament


class PredictorVersion(models.Model):
    """One training of one predictor; it answers the rounds that open after it."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="predictors")
    family = models.CharField(max_length=20)
    trained_in = models.PositiveIntegerField(help_text="The round at whose opening it was asked for.")
    last_era = models.PositiveIntegerField(help_text="The newest era whose target it has seen.")
    config = models.JSONField(default=dict)
    state_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tournament", "family", "trained_in"], name="predictor_once"),
        ]

    def __str__(self) -> str:
        return f"{self.family} of {self.tournament_id}, trained in round {self.trained_in}"
