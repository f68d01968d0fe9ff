"""Diagnoses of uploaded validation files."""

from __future__ import annotations

from django.db import models

from regatta.submissions.models import ContributedModel


class Diagnosis(models.Model):
    """One file of predictions over validation eras, and what it scored."""

    class Status(models.TextChoices):
        """Whether the figures are there."""

        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    model = models.ForeignKey(ContributedModel, on_delete=models.CASCADE, related_name="diagnoses")
    filename = models.CharField(max_length=120)
    file_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PENDING)
    message = models.TextField(blank=True)
    eras = models.JSONField(default=list, help_text="Figures of each era, oldest first.")
    summary = models.JSONField(default=dict)
    regimes = models.JSONField(default=list, help_text="Figures of the eras of each regime.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "diagnoses"

    def __str__(self) -> str:
        return f"{self.model_id}: {self.filename}, {self.status}"
