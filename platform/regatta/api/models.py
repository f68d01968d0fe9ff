"""What the API remembers between requests: how much each asker has asked, and answers that may be asked for again."""

from __future__ import annotations

from django.db import models


class Allowance(models.Model):
    """How much an asker has used of the present minute.

    Every web process counts here. The table is unlogged: a counter costs no wait for the disk, and after a crash of
    the database everybody begins anew.
    """

    who = models.CharField(max_length=80, primary_key=True)
    period = models.BigIntegerField(help_text="Minutes since 1970.")
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.who}: {self.used}"


class StoredAnswer(models.Model):
    """What was answered to a POST with an Idempotency-Key; written with the deed itself, so that both are or neither.

    Answers that hold a secret are kept without their text.
    """

    who = models.CharField(max_length=80)
    place = models.CharField(max_length=64, help_text="Hash of method and address.")
    key = models.CharField(max_length=80)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    text = models.TextField(blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["who", "place", "key"], name="answer_once")]
        indexes = [models.Index(fields=["expires_at"], name="answers_expiring")]

    def __str__(self) -> str:
        return f"{self.who} {self.key}: {self.status}"
