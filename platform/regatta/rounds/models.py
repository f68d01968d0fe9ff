"""Tournaments, their datasets and their rounds."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q, TextChoices
from django.utils import timezone

from tournament.rules import Rules


class Tournament(models.Model):
    """One competition: a market, its rules and, for a replay, its own clock."""

    class Market(TextChoices):
        """Where the prices come from."""

        REAL = "real"
        SIMULATED = "simulated"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    market = models.CharField(max_length=10, choices=Market.choices)
    rules = models.JSONField(default=dict)
    clock_at = models.DateTimeField(null=True, blank=True, help_text="The replay clock; empty: the wall clock.")
    is_paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def now(self) -> datetime:
        """The time in this tournament."""
        return self.clock_at or timezone.now()

    def parsed_rules(self) -> Rules:
        """The rules, checked. Raises BadConfig."""
        return Rules.from_dict(self.rules)


class Dataset(models.Model):
    """One version of a tournament's data."""

    class Status(TextChoices):
        """Whether contributors see it."""

        DRAFT = "DRAFT"
        PUBLISHED = "PUBLISHED"

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="datasets")
    version = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    quality = models.JSONField(default=dict)
    feature_names = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["tournament", "version"], name="dataset_version_once")]

    def __str__(self) -> str:
        return f"{self.tournament} {self.version}"


class DatasetFile(models.Model):
    """One file of a dataset; private files serve the platform only."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    rows = models.PositiveIntegerField(default=0)
    is_public = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["dataset", "name"], name="dataset_file_once")]

    def __str__(self) -> str:
        return self.name


class RoundQuerySet(models.QuerySet["Round"]):
    """Rounds in bulk."""

    def resolved(self) -> RoundQuerySet:
        """Rounds whose targets are known and scored."""
        return self.filter(status=Round.Status.RESOLVED)

    def newest(self) -> Round | None:
        """The latest round that has opened."""
        return self.exclude(status=Round.Status.SCHEDULED).order_by("-number").first()


class Round(models.Model):
    """One cross-section that contributors predict, from opening to resolution."""

    class Status(TextChoices):
        """Where the round stands; every change is a conditional update from the state before."""

        SCHEDULED = "SCHEDULED"
        OPEN = "OPEN"
        CLOSED = "CLOSED"
        RESOLVING = "RESOLVING"
        RESOLVED = "RESOLVED"

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SCHEDULED)
    era = models.CharField(max_length=8)
    as_of = models.DateField(help_text="The last trading day whose prices the live features use.")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    resolves_at = models.DateTimeField()
    live_sha256 = models.CharField(max_length=64, blank=True)
    universe_size = models.PositiveIntegerField(default=0)
    context = models.JSONField(default=dict)
    stakes = models.JSONField(default=dict, help_text="Points at stake by model at the close, as exact decimals.")
    panel_sha256 = models.CharField(max_length=64, blank=True)
    panel_models = models.JSONField(default=list, help_text="Names of the sealed panel's columns.")
    trial_sha256 = models.CharField(max_length=64, blank=True)
    trial_models = models.JSONField(
        default=list, help_text="Models that were experimental at the close: columns of a panel of their own."
    )
    target_sha256 = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        ordering = ["tournament", "number"]
        constraints = [
            models.UniqueConstraint(fields=["tournament", "number"], name="round_number_once"),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")) & Q(closes_at__lt=F("resolves_at")),
                name="round_times_in_order",
            ),
        ]
        indexes = [models.Index(fields=["tournament", "status"], name="rounds_by_status")]

    def __str__(self) -> str:
        return f"{self.tournament} round {self.number}"

    def move(self, before: Round.Status, after: Round.Status, **changes: object) -> bool:
        """Change the state if it still is `before`; whether this call did it."""
        moved = Round.objects.filter(pk=self.pk, status=before).update(status=after, **changes)
        if moved:
            self.refresh_from_db()
        return bool(moved)
