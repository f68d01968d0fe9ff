"""What a contributor sees of the ledger: free points, stakes, what is locked, and the last movements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from regatta.rounds.models import Round
from regatta.stakes.models import Entry, LedgerAccount
from regatta.submissions.models import ContributedModel
from tournament.scoring.payout import POINT

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stake:
    """Points of one model; `locked` is the most that sealed rounds may still burn."""

    points: Decimal
    locked: Decimal

    @property
    def movable(self) -> Decimal:
        """What may be taken back now."""
        return max(self.points - self.locked, ZERO)


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry of a contributor's accounts, as it is told."""

    at: datetime
    kind: str
    what: str
    amount: Decimal


def free_points(owner_id: int) -> Decimal:
    """Points in the contributor's wallet."""
    wallet = Entry.objects.filter(account__owner_id=owner_id, account__kind=LedgerAccount.Kind.WALLET)
    return wallet.aggregate(total=Sum("amount"))["total"] or ZERO.quantize(POINT)


def stakes_of(models: Sequence[ContributedModel]) -> dict[int, Stake]:
    """Stake by model key, in two queries however many models there are."""
    entries = Entry.objects.filter(account__model__in=models)
    points = dict(entries.values_list("account__model_id").annotate(total=Sum("amount")))
    at_risk = _locked(models)
    return {model.pk: Stake(points.get(model.pk, ZERO), at_risk.get(model.pk, ZERO)) for model in models}


def _locked(models: Sequence[ContributedModel]) -> dict[int, Decimal]:
    tournaments = {model.tournament_id: model.tournament for model in models}
    sealed = Round.objects.filter(tournament__in=tournaments, status__in=["CLOSED", "RESOLVING"])
    counted: dict[tuple[int, str], Decimal] = {}
    for tournament_id, stakes in sealed.values_list("tournament_id", "stakes"):
        for name, amount in stakes.items():
            counted[tournament_id, name] = counted.get((tournament_id, name), ZERO) + Decimal(amount)
    clips = {pk: Decimal(repr(found.parsed_rules().payout_clip)) for pk, found in tournaments.items()}
    return {
        model.pk: (counted.get((model.tournament_id, model.name), ZERO) * clips[model.tournament_id]).quantize(POINT)
        for model in models
    }


def movements(owner_id: int, count: int = 20) -> list[Movement]:
    """The last entries of the contributor's wallet and stakes, newest first."""
    found = Entry.objects.filter(account__owner_id=owner_id).select_related("transfer__round", "account__model")
    return [
        Movement(
            entry.transfer.created_at, entry.transfer.kind,
            entry.account.model.name if entry.account.model else "free points", entry.amount,
        )
        for entry in found.defer("transfer__round__context", "transfer__round__stakes").order_by("-id")[:count]
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transaction:
    """Free points that changed hands: how many, and between whom."""

    at: datetime
    kind: str
    amount: Decimal
    giver: str
    taker: str
    tournament_id: int | None


def transactions(owner_id: int, count: int = 500) -> list[Transaction]:
    """The last movements into and out of the contributor's wallet, newest first; from a wallet they are two-sided."""
    own = Entry.objects.filter(account__owner_id=owner_id, account__kind=LedgerAccount.Kind.WALLET)
    found = own.select_related("transfer").order_by("-id")[:count]
    others = Entry.objects.filter(transfer__in=[entry.transfer_id for entry in found])
    others = others.exclude(account__owner_id=owner_id, account__kind=LedgerAccount.Kind.WALLET)
    across = {entry.transfer_id: entry.account for entry in others.select_related("account__model")}
    return [_transaction(entry, across.get(entry.transfer_id)) for entry in found]


def _transaction(entry: Entry, other: LedgerAccount | None) -> Transaction:
    model = other.model if other else None
    name = model.name if model else (other.kind if other else "")
    giver, taker = (name, "wallet") if entry.amount > 0 else ("wallet", name)
    place = model.tournament_id if model else None
    return Transaction(entry.transfer.created_at, entry.transfer.kind, entry.amount, giver, taker, place)


def won_since(tournament_id: int, since: datetime | None) -> dict[int, Decimal]:
    """Points that the rounds of a tournament paid (or, negative, burned) since then, by model key."""
    paid = Entry.objects.filter(transfer__kind="payout", account__model__tournament_id=tournament_id)
    if since is not None:
        paid = paid.filter(transfer__created_at__gt=since)
    return dict(paid.values_list("account__model_id").annotate(total=Sum("amount")))


def paid_in(rounds: Sequence[int], models: Sequence[ContributedModel]) -> dict[tuple[int, int], Decimal]:
    """Points that each round (key) paid to each model (key)."""
    paid = Entry.objects.filter(transfer__kind="payout", transfer__round__in=rounds, account__model__in=models)
    rows = paid.values_list("transfer__round_id", "account__model_id").annotate(total=Sum("amount"))
    return {(round_id, model_id): total for round_id, model_id, total in rows}
