"""Paper accounts, the plans of orders that lead them to a book, and who did what with them."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament
from tournament.portfolio.orders import Fill, Order, Side


def new_salt() -> str:
    """Of which an account's signing key is made."""
    return secrets.token_hex(16)


class PaperAccount(models.Model):
    """Money and units that follow a tournament's book; its key, from SECRET_KEY and the salt, signs its files."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="paper_accounts")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="paper_accounts")
    name = models.CharField(max_length=40)
    cash = models.FloatField()
    positions = models.JSONField(default=dict, help_text="Units by asset; short ones are negative.")
    salt = models.CharField(max_length=32, default=new_salt)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["tournament", "name"], name="paper_account_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """The key that its order files are signed with (64 hex digits)."""
        return salted_hmac("regatta.orders", self.salt, algorithm="sha256").hexdigest()


class OrderPlan(models.Model):
    """Orders from an account to a book: planned, confirmed by its hash while it is valid, filled once."""

    class State(models.TextChoices):
        """Where the plan stands."""

        PLANNED = "PLANNED"
        CONFIRMED = "CONFIRMED"
        FILLED = "FILLED"
        WITHDRAWN = "WITHDRAWN"

    account = models.ForeignKey(PaperAccount, on_delete=models.CASCADE, related_name="plans")
    book = models.ForeignKey(Rebalance, on_delete=models.CASCADE, related_name="plans")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    orders = models.JSONField(default=list)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the orders and all that they hang on.")
    value = models.FloatField(help_text="The account's value at the prices that the orders were sized by.")
    priced_on = models.DateField()
    planned_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    market_at = models.DateTimeField(null=True, help_text="The tournament's time of the confirmation.")
    files = models.JSONField(default=dict, help_text="SHA-256 of each file by its kind.")
    fills = models.JSONField(default=list)
    filled_on = models.DateField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="CONFIRMED"), name="one_confirmed_plan_an_account"
            )
        ]

    def __str__(self) -> str:
        return f"plan {self.pk} of {self.account}"

    def is_valid_at(self, now: datetime) -> bool:
        """Whether it may still be confirmed."""
        return self.state == self.State.PLANNED and now < self.expires_at

    def parsed_orders(self) -> tuple[Order, ...]:
        """The orders."""
        return tuple(Order(**{**row, "side": Side(row["side"])}) for row in self.orders)

    def parsed_fills(self) -> tuple[Fill, ...]:
        """What became of the orders, in their order."""
        return tuple(Fill(**row) for row in self.fills)


class OrderEvent(models.Model):
    """The trail of a plan: who did what and when, by the wall clock; nothing changes or removes a line."""

    plan = models.ForeignKey(OrderPlan, on_delete=models.CASCADE, related_name="events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=200)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.what
