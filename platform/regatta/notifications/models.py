"""Notices in contributors' inboxes, and what each of them wants to be told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from regatta.accounts.models import User


class Event(models.TextChoices):
    """What contributors can be told of."""

    OPENED = "round.opened", "A round opens"
    REJECTED = "submission.rejected", "A submission fails"
    SCORED = "round.scored", "Scores are in"


class Way(models.TextChoices):
    """How they are told."""

    OFF = "off", "not at all"
    INBOX = "inbox", "in the inbox"
    MAIL = "mail", "in the inbox and by mail"


DEFAULTS = {Event.OPENED: Way.OFF, Event.REJECTED: Way.MAIL, Event.SCORED: Way.OFF}
"""Of those who have not chosen; only they have no row, so that a round costs nothing where nobody asked."""


class Preference(models.Model):
    """One contributor's choice for one event."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    event = models.CharField(max_length=20, choices=Event.choices)
    way = models.CharField(max_length=5, choices=Way.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "event"], name="preference_once")]
        indexes = [models.Index(fields=["event"], name="preferences_on", condition=~Q(way="off"))]

    def __str__(self) -> str:
        return f"{self.owner_id}, {self.event}: {self.way}"

    @classmethod
    def of(cls, owner: User) -> dict[Event, Way]:
        """What one contributor wants, defaults included."""
        chosen = dict(cls.objects.filter(owner=owner).values_list("event", "way"))
        return {event: Way(chosen.get(event, DEFAULTS[event])) for event in Event}


class Notice(models.Model):
    """One message in an inbox; the key makes it come once."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=20, choices=Event.choices)
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=160)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=200, blank=True, help_text="Path on this site.")
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="notice_once")]
        indexes = [models.Index(fields=["owner"], name="notices_unread", condition=Q(read_at=None))]

    def __str__(self) -> str:
        return self.title


class Mail(models.Model):
    """One notice on its way to a mailbox, however often it is tried."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "WAITING"
        SENT = "SENT"
        FAILED = "FAILED"

    notice = models.OneToOneField(Notice, on_delete=models.CASCADE, related_name="mail")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it is tried next.")
    error = models.TextField(blank=True, help_text="Why the last try failed: what the mail server said.")
    created_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], name="mails_due", condition=Q(state="WAITING"))]

    def __str__(self) -> str:
        return f"mail of notice {self.notice_id}: {self.state}"


def unread(owner: User) -> int:
    """How many notices a contributor has not read."""
    return Notice.objects.filter(owner=owner, read_at=None).count()
