"""Stakes and payouts, in points: there is no token, so amounts that the client calls NMR are points of this site."""

from __future__ import annotations

import secrets
from decimal import Decimal

import strawberry

from regatta.accounts.models import User
from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor, own_model
from regatta.api.numerapi.numbers import tournament_of
from regatta.api.numerapi.scalars import Yes
from regatta.api.numerapi.values import moment, points
from regatta.api.points import asked_points
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.stakes.ledger import put_at_stake, take_from_stake
from regatta.stakes.overview import paid_in, stakes_of
from regatta.submissions.models import ContributedModel
from tournament.scoring.payout import payout

CURRENCY = "points"
DONE = "confirmed"
SETTLED_ROUNDS = 20
"""Resolved rounds whose payouts are told."""


@strawberry.type
class StakeChange:
    """Points that were moved, at once."""

    id: str
    due_date: str | None
    requested_amount: str | None
    status: str
    type: str
    drain: bool


@strawberry.type
class Payout:
    """What a round brings to a model."""

    round_id: str
    round_number: int
    round_resolve_time: str | None
    model_id: str
    model_name: str
    model_display_name: str
    payout_nmr: str | None
    payout_value: str | None
    currency_symbol: str


@strawberry.type
class Payouts:
    """What rounds have paid, and what unresolved ones would pay by their newest scores."""

    actual: list[Payout]
    pending: list[Payout]


def change_stake(info: Info, value: str, type: str, tournament_number: int, model_id: str | None = None) -> StakeChange:
    """Put free points at stake (`increase`) or take some back (`decrease`). Raises Refusal or BadInput."""
    model = own_model(contributor(info, "manage"), model_id, tournament_number)
    if type not in ("increase", "decrease"):
        raise Refusal(422, "type", f"{type[:40]!r} is no change of a stake", "say increase or decrease")
    amount = asked_points(value)
    if amount < 0:
        raise Refusal(422, "points", f"{value[:40]} is negative", "say by type whether to increase or to decrease")
    return _change(model, amount, type, drain=False)


def release_stake(info: Info, drain: Yes, model_id: str | None = None, amount: str | None = None) -> StakeChange:
    """Take back everything that unresolved rounds cannot burn any more; without `drain`, the amount."""
    model = own_model(contributor(info, "manage"), model_id)
    if not drain:
        return _change(model, asked_points(amount or ""), "decrease", drain=False)
    free = stakes_of([model])[model.pk].movable
    if not free:
        raise Refusal(409, "points", f"nothing of the stake of {model.name} can be taken back now", "wait for a round")
    return _change(model, free, "decrease", drain=True)


def _change(model: ContributedModel, amount: Decimal, type: str, *, drain: bool) -> StakeChange:
    now, key = model.tournament.now(), f"stake:{model.owner_id}:{secrets.token_hex(16)}"
    exchange = put_at_stake if type == "increase" else take_from_stake
    exchange(model, amount, key=key, now=now)
    return StakeChange(
        id=key, due_date=moment(now), requested_amount=points(amount), status=DONE, type=type, drain=drain
    )


def pending_model_payouts(info: Info, tournament: int) -> Payouts:
    """Payouts of one's own models."""
    owner, found = contributor(info, "read"), tournament_of(tournament)
    models = list(ContributedModel.objects.filter(owner=owner, tournament=found))
    return Payouts(actual=_settled(found, models), pending=_pending(owner, found))


def _settled(tournament: Tournament, models: list[ContributedModel]) -> list[Payout]:
    resolved = tournament.rounds.resolved().defer("context", "panel_models").order_by("-number")
    rounds = {round.pk: round for round in resolved[:SETTLED_ROUNDS]}
    by_key = {model.pk: model for model in models}
    paid = paid_in(list(rounds), models)
    return [_payout(rounds[key], by_key[model], amount) for (key, model), amount in sorted(paid.items(), reverse=True)]


def _pending(owner: User, tournament: Tournament) -> list[Payout]:
    """By the newest partial score of each unresolved round."""
    rules = tournament.parsed_rules()
    under_way = Score.objects.filter(
        model__owner=owner, round__tournament=tournament, round__status__in=["CLOSED", "RESOLVING"],
        known_at__lte=tournament.now(),
    )  # fmt: skip
    newest = under_way.order_by("-round_id", "model_id", "-day").distinct("round_id", "model_id")
    expected = [
        (row, payout(Decimal(row.round.stakes.get(row.model.name, "0")), row.corr, row.mmc, rules))
        for row in newest.select_related("round", "model")
    ]
    return [_payout(row.round, row.model, amount) for row, amount in expected]


def _payout(round: Round, model: ContributedModel, amount: Decimal) -> Payout:
    return Payout(
        round_id=str(round.pk), round_number=round.number, round_resolve_time=moment(round.resolves_at),
        model_id=str(model.pk), model_name=model.name, model_display_name=model.name, payout_nmr=points(amount),
        payout_value=points(amount), currency_symbol=CURRENCY,
    )  # fmt: skip


@strawberry.type
class PointsQuery:
    """What is asked about points."""

    pending_model_payouts: Payouts = strawberry.field(resolver=pending_model_payouts)


@strawberry.type
class PointsMutation:
    """How points are moved."""

    v2_change_stake: StakeChange = strawberry.mutation(resolver=change_stake, name="v2ChangeStake")
    release_stake: StakeChange = strawberry.mutation(resolver=release_stake)
