"""Webhooks and the log of what was sent to them."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from regatta.submissions.models import ContributedModel


def new_salt() -> str:
    """Of which a webhook's secret is made."""
    return secrets.token_hex(16)


class Webhook(models.Model):
    """An address that its owner wants to be told at, and of what.

    The secret is derived from SECRET_KEY and the salt: the database alone forges no signature.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    model = models.ForeignKey(
        ContributedModel, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks",
        help_text="Told of this model alone; empty: of all that its owner has.",
    )  # fmt: skip
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    salt = models.CharField(max_length=32, default=new_salt)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["model"], condition=Q(is_active=True), name="one_webhook_a_model")
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """The key that deliveries are signed with (64 hex digits)."""
        return salted_hmac("regatta.webhooks", self.salt, algorithm="sha256").hexdigest()


class Delivery(models.Model):
    """One message to one webhook, however often it is tried."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "WAITING"
        DELIVERED = "DELIVERED"
        FAILED = "FAILED"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    name = models.UUIDField(default=uuid.uuid4, unique=True, help_text="Told in the header, the same at each try.")
    key = models.CharField(max_length=80, help_text="What it is about: it is told once.")
    event = models.CharField(max_length=20)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it is tried next.")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="The beginning of the last answer, or why there was none.")
    created_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["webhook", "key"], name="delivery_once")]
        indexes = [models.Index(fields=["due_at"], name="deliveries_due", condition=Q(state="WAITING"))]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}: {self.state}"
