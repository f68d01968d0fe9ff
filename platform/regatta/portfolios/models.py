"""What the meta-model holds, trades and earns."""

from __future__ import annotations

from django.db import models

from regatta.rounds.models import Round, Tournament


class Rebalance(models.Model):
    """The book chosen at one round's close."""

    round = models.OneToOneField(Round, on_delete=models.CASCADE, related_name="rebalance")
    as_of = models.DateField()
    holdings_sha256 = models.CharField(max_length=64)
    holdings = models.JSONField(default=list)
    gross = models.FloatField()
    net = models.FloatField()
    turnover = models.FloatField()
    cost = models.FloatField()
    expected_risk = models.FloatField()
    binding = models.JSONField(default=list)
    prices = models.JSONField(default=dict, help_text="What a unit more of each limit would have gained.")
    premises_sha256 = models.CharField(max_length=64, blank=True, help_text="What the book was chosen from.")
    opening = models.JSONField(default=dict, help_text="Value and money in each asset when the book was chosen.")
    overlay = models.JSONField(
        default=dict, help_text="Share of the full book that is held, why, and the shadows' course."
    )
    known_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"book of {self.round_id}"


class NavPoint(models.Model):
    """The book's value at one close, with what the day earned and cost; `round` is whose book was held that day."""

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="nav")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="nav")
    date = models.DateField()
    gross_return = models.FloatField()
    cost = models.FloatField()
    net_return = models.FloatField()
    nav = models.FloatField()
    gross = models.FloatField()
    net = models.FloatField()
    turnover = models.FloatField()
    long = models.FloatField(default=0.0)
    short = models.FloatField(default=0.0)
    spread = models.FloatField(default=0.0)
    impact = models.FloatField(default=0.0)
    borrow = models.FloatField(default=0.0)
    dividend = models.FloatField(default=0.0)
    interest = models.FloatField(default=0.0)
    forecast = models.FloatField(null=True, help_text="The day's volatility as it was forecast, a fraction.")

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["tournament", "date"], name="nav_once_a_day")]

    def __str__(self) -> str:
        return f"{self.date}: {self.nav}"


class BookAttribution(models.Model):
    """The styles that one holding period's return and the book's risk came from; lists end with what is specific."""

    nav = models.OneToOneField(NavPoint, on_delete=models.CASCADE, related_name="attribution")
    names = models.JSONField(default=list)
    exposure = models.JSONField(default=list, help_text="The book's exposure, without an entry for what is specific.")
    predicted = models.JSONField(default=list, help_text="Of the alpha, for as long as the book was held.")
    realised = models.JSONField(default=list, help_text="Of the return before costs.")
    risk = models.JSONField(default=list, help_text="Shares of the variance that the risk model forecast.")
    known_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"attribution of {self.nav_id}"
