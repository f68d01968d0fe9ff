"""Scores of sealed panels and the leaderboards made of them."""

from __future__ import annotations

from django.db import models

from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel

FIGURES = (
    "corr", "mmc", "bmc", "fnc", "max_feature_exposure", "corr_percentile", "mmc_percentile", "contribution", "mpc",
)  # fmt: skip
"""What a score says, in the order in which it is told, by pages and by REST."""


class Score(models.Model):
    """What one model's predictions of one round were worth, as known on one day."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="scores")
    model = models.ForeignKey(ContributedModel, on_delete=models.CASCADE, related_name="scores")
    version = models.PositiveSmallIntegerField(default=1)
    as_of = models.DateField()
    day = models.PositiveSmallIntegerField(help_text="Trading days of returns in the score.")
    is_final = models.BooleanField(default=False)
    is_experimental = models.BooleanField(default=False, help_text="Off the board: as the model was at the close.")
    corr = models.FloatField(null=True)
    mmc = models.FloatField(null=True)
    bmc = models.FloatField(null=True)
    fnc = models.FloatField(null=True)
    max_feature_exposure = models.FloatField(null=True)
    contribution = models.FloatField(
        null=True, help_text="d(net return of the book)/d(weight of the model): final scores of weighed models only."
    )
    mpc = models.FloatField(null=True, help_text="Numerai's meta portfolio contribution, of the stakes at the close.")
    linear = models.FloatField(null=True, help_text="s = P'y/n: what selectors learn from.")
    corr_percentile = models.FloatField(null=True)
    mmc_percentile = models.FloatField(null=True)
    known_at = models.DateTimeField()

    class Meta:
        ordering = ["round", "model", "day"]
        constraints = [models.UniqueConstraint(fields=["round", "model", "day", "version"], name="score_once")]
        indexes = [models.Index(fields=["model", "is_final"], name="scores_of_model")]

    def __str__(self) -> str:
        return f"{self.model_id} in {self.round_id}, day {self.day}: {self.corr}"


class Leaderboard(models.Model):
    """A board as it stood when a round resolved: rendered once, served as stored."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="leaderboards")
    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="leaderboard")
    as_of = models.DateTimeField()
    rows = models.JSONField(default=list)
    etag = models.CharField(max_length=64)

    class Meta:
        ordering = ["-round__number"]

    def __str__(self) -> str:
        return f"{self.tournament} after round {self.round.number}"
