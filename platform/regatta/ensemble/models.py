"""Selectors, their weights, the regime of each round, and the meta-model."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from regatta.rounds.models import Round, Tournament


class SelectorVersion(models.Model):
    """One trained selector and how it did walk-forward."""

    class Status(models.TextChoices):
        """Where it stands."""

        TRAINING = "TRAINING"
        READY = "READY"
        CHAMPION = "CHAMPION"
        RETIRED = "RETIRED"
        FAILED = "FAILED"

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="selectors")
    family = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TRAINING)
    config = models.JSONField(default=dict)
    state_sha256 = models.CharField(max_length=64, blank=True)
    trained_through = models.PositiveIntegerField(default=0, help_text="The last round whose scores it has seen.")
    report = models.JSONField(default=dict)
    gain = models.FloatField(null=True, help_text="Mean corr over the champion of that day, walk-forward.")
    gain_se = models.FloatField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tournament"], condition=models.Q(status="CHAMPION"), name="one_champion_each"
            ),
            models.UniqueConstraint(fields=["tournament", "family", "trained_through"], name="selector_once"),
        ]

    def __str__(self) -> str:
        return f"{self.family} through round {self.trained_through}"

    def led_at(self, time: datetime) -> bool:
        """Whether it was the champion then."""
        since, until = self.promoted_at, self.retired_at
        return since is not None and since <= time and (until is None or time < until)


class TrainingProgress(models.Model):
    """How far the training of one selector has come: what its next attempt goes on from. Gone when it has ended."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="trainings")
    family = models.CharField(max_length=40)
    trained_through = models.PositiveIntegerField()
    data = models.CharField(max_length=64, help_text="A mark of everything that the training sees.")
    state_sha256 = models.CharField(max_length=64)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "training progress"
        constraints = [
            models.UniqueConstraint(fields=["tournament", "family", "trained_through"], name="progress_once")
        ]

    def __str__(self) -> str:
        return f"{self.family} through round {self.trained_through}, under way"


class RegimeState(models.Model):
    """The filtered regime probabilities of a round, known at its opening."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="regime")
    names = models.JSONField(default=list)
    probabilities = models.JSONField(default=list)
    label = models.PositiveSmallIntegerField(default=0)
    novelty = models.FloatField(
        null=True, help_text="Distance to all that training had seen, in units of the edge of the known."
    )
    known_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.names[self.label]} in {self.round_id}"


class RoundWeights(models.Model):
    """The weights one selector gives the models of a round."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="weights")
    selector = models.ForeignKey(SelectorVersion, null=True, blank=True, on_delete=models.SET_NULL)
    family = models.CharField(max_length=40)
    is_champion = models.BooleanField(default=False, help_text="Whether this family led.")
    answers = models.BooleanField(
        default=False, help_text="Whether the meta-model is made of these weights: the champion's, or a stand-in's."
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why a stand-in answers in the champion's place.")
    weights = models.JSONField(default=dict)
    own = models.JSONField(
        default=dict, help_text="What the family gave, where the rules' stickiness or cap made other weights of it."
    )
    explanation = models.JSONField(
        default=dict,
        help_text="Why, told at the round's close from what was known at its opening; of those that answer only.",
    )
    outcome = models.JSONField(
        default=dict, help_text="What each model did add, once the round has resolved; of those that answer only."
    )
    corr = models.FloatField(null=True, help_text="Corr of this blend, once the round has resolved.")
    known_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "round weights"
        constraints = [
            models.UniqueConstraint(fields=["round", "family"], name="weights_once"),
            models.UniqueConstraint(fields=["round"], condition=models.Q(answers=True), name="one_answer_each"),
        ]

    def __str__(self) -> str:
        return f"{self.family} for {self.round_id}"

    @property
    def given(self) -> dict[str, float]:
        """What the family itself gave: its record is of these weights, whatever the rules made of them."""
        found: dict[str, float] = self.own or self.weights
        return found


class MetaModel(models.Model):
    """The weighted blend of a round: what the portfolio follows."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="meta_model")
    selector = models.ForeignKey(SelectorVersion, null=True, blank=True, on_delete=models.SET_NULL)
    family = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    corr = models.FloatField(null=True)
    equal_corr = models.FloatField(null=True)
    stake_corr = models.FloatField(null=True)
    effective_models = models.FloatField()
    turnover = models.FloatField(null=True)
    known_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"meta-model of {self.round_id} by {self.family}"


class Watch(models.Model):
    """What the monitors read when a round had resolved: the champion's drift, and gaps to what training had shown."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="watch")
    family = models.CharField(max_length=40, blank=True, help_text="The champion.")
    since = models.PositiveIntegerField(null=True, help_text="The first round of its lead.")
    expected = models.FloatField(null=True, help_text="Mean live corr of its blends before it led.")
    expected_se = models.FloatField(null=True)
    live = models.FloatField(null=True, help_text="Mean corr of its blends since it leads.")
    live_se = models.FloatField(null=True)
    rounds = models.PositiveIntegerField(default=0, help_text="Resolved rounds of its lead.")
    fall = models.FloatField(null=True, help_text="Summed falls below the expectation, in long-run deviations.")
    has_drifted = models.BooleanField(default=False, help_text="Whether the falls have passed the limit.")
    gaps = models.JSONField(
        default=list, help_text="By version in use: gains over equal weight shown in training, and live since."
    )
    known_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"watch at {self.round_id}"
