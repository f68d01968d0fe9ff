"""Move points: double entry, exact decimals, each transfer once by its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Sum

from regatta.rounds.models import Round
from regatta.stakes.models import Entry, LedgerAccount, Transfer
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, Fault
from tournament.scoring.payout import POINT, payout

Move = tuple[LedgerAccount, LedgerAccount, Decimal]
ZERO = Decimal(0)


def treasury() -> LedgerAccount:
    """The account that gives and takes."""
    return LedgerAccount.objects.get_or_create(kind=LedgerAccount.Kind.TREASURY)[0]


def wallet(owner_id: int) -> LedgerAccount:
    """A contributor's free points."""
    return LedgerAccount.objects.get_or_create(kind=LedgerAccount.Kind.WALLET, owner_id=owner_id)[0]


def stake_of(model: ContributedModel) -> LedgerAccount:
    """The points that a model has at stake."""
    defaults = {"kind": LedgerAccount.Kind.STAKE, "owner_id": model.owner_id}
    return LedgerAccount.objects.get_or_create(model=model, defaults=defaults)[0]


def balance(account: LedgerAccount) -> Decimal:
    """Points in an account."""
    return account.entries.aggregate(total=Sum("amount"))["total"] or Decimal(0).quantize(POINT)


def move(key: str, kind: str, moves: Sequence[Move], *, now: datetime, round: Round | None = None) -> bool:
    """Move amounts from the first to the second account, once for `key`; whether this call did it."""
    with transaction.atomic():
        transfer, fresh = Transfer.objects.get_or_create(
            key=key, defaults={"kind": kind, "round": round, "created_at": now}
        )
        if fresh:
            sides = [(account, amount * sign) for away, to, amount in moves for account, sign in ((away, -1), (to, 1))]
            Entry.objects.bulk_create(
                Entry(transfer=transfer, account=account, amount=amount) for account, amount in sides if amount
            )
    return fresh


def welcome(owner_id: int, amount: Decimal, *, now: datetime) -> bool:
    """A new contributor's first points."""
    return move(f"welcome:{owner_id}", "welcome", [(treasury(), wallet(owner_id), amount.quantize(POINT))], now=now)


def put_at_stake(model: ContributedModel, amount: Decimal, *, key: str, now: datetime) -> bool:
    """Move free points to a model's stake, once for `key`. Raises BadInput when there are too few."""
    return _exchange(model, wallet(model.owner_id), stake_of(model), amount, key=key, now=now)


def take_from_stake(model: ContributedModel, amount: Decimal, *, key: str, now: datetime) -> bool:
    """Move points from a model's stake to its owner, once for `key`.

    What the unresolved rounds may still burn stays. Raises BadInput when less is free.
    """
    return _exchange(model, stake_of(model), wallet(model.owner_id), amount, key=key, now=now, kept=locked(model))


def locked(model: ContributedModel) -> Decimal:
    """The most that a model can still lose in rounds that are sealed and not resolved."""
    clip = Decimal(repr(model.tournament.parsed_rules().payout_clip))
    open_rounds = Round.objects.filter(tournament=model.tournament, status__in=["CLOSED", "RESOLVING"])
    counted = sum(
        (Decimal(stakes.get(model.name, "0")) for stakes in open_rounds.values_list("stakes", flat=True)), ZERO
    )
    return (counted * clip).quantize(POINT)


def _exchange(
    model: ContributedModel,
    away: LedgerAccount,
    to: LedgerAccount,
    amount: Decimal,
    *,
    key: str,
    now: datetime,
    kept: Decimal = ZERO,
) -> bool:
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=model.owner_id)  # two moves at once must not both pass
        amount = amount.quantize(POINT)
        done = Transfer.objects.filter(key=key).first()
        if done is not None:
            _refuse_another(done, to, amount)
            return False
        free = max(balance(away) - kept, ZERO)
        if not ZERO < amount <= free:
            raise BadInput(Fault("points", f"{amount} points asked for, {free} are free", "move at most what is free"))
        return move(key, "stake", [(away, to, amount)], now=now)


def _refuse_another(done: Transfer, to: LedgerAccount, amount: Decimal) -> None:
    if not done.entries.filter(account=to, amount=amount).exists():
        found = "this key has moved other points already, or to another place"
        raise BadInput(Fault("key_used", found, "send a new key with each new move"))


def stakes(tournament_id: int) -> dict[str, Decimal]:
    """Points at stake by model name."""
    entries = Entry.objects.filter(account__kind="stake", account__model__tournament_id=tournament_id)
    return dict(entries.values_list("account__model__name").annotate(total=Sum("amount")))


def pay_round(round: Round, now: datetime) -> bool:
    """Pay or burn what the round's final scores say, on the stakes that counted at its close; once."""
    rules, bank = round.tournament.parsed_rules(), treasury()
    accounts = {
        account.model_id: account for account in LedgerAccount.objects.filter(model__tournament=round.tournament)
    }
    left = stakes(round.tournament_id)
    moves: list[Move] = []
    for score in round.scores.filter(is_final=True, model__in=accounts).select_related("model"):
        won = payout(Decimal(round.stakes.get(score.model.name, "0")), score.corr, score.mmc, rules)
        account = accounts[score.model_id]
        if won > 0:
            moves.append((bank, account, won))
        elif won < 0:
            moves.append((account, bank, min(-won, left.get(score.model.name, ZERO))))
    return move(f"payout:{round.pk}", "payout", moves, now=now, round=round)
