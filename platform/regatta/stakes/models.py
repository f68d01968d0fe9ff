"""Points in double entry: every transfer's entries sum to zero."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from regatta.rounds.models import Round
from regatta.submissions.models import ContributedModel


class LedgerAccount(models.Model):
    """Where points lie: a contributor's wallet, a model's stake, or the treasury."""

    class Kind(models.TextChoices):
        """What the account is for."""

        WALLET = "wallet"
        STAKE = "stake"
        TREASURY = "treasury"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    model = models.OneToOneField(
        ContributedModel, null=True, blank=True, on_delete=models.PROTECT, related_name="stake"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner"], condition=models.Q(kind="wallet"), name="one_wallet_each"),
            models.UniqueConstraint(fields=["kind"], condition=models.Q(kind="treasury"), name="one_treasury"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner_id or ''}{self.model_id or ''}"


class Transfer(models.Model):
    """One movement of points; its key makes it happen once."""

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=120, unique=True)
    round = models.ForeignKey(Round, null=True, blank=True, on_delete=models.PROTECT, related_name="transfers")
    memo = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.key


class Entry(models.Model):
    """One side of a transfer."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries")
    amount = models.DecimalField(max_digits=20, decimal_places=6)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="entry_moves_something")]

    def __str__(self) -> str:
        return f"{self.amount} to {self.account_id}"
