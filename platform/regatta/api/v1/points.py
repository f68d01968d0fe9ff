"""Points: what is free, what models have at stake, and how it moved; their owner's alone."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners
from regatta.api.envelope import Refusal
from regatta.api.guard import Takes, contributor
from regatta.api.points import asked_points
from regatta.api.repeats import HEADER, MAX_KEY
from regatta.api.v1.finding import own_model, own_models
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told
from regatta.stakes.ledger import balance, locked, put_at_stake, stake_of, take_from_stake, wallet
from regatta.stakes.models import Entry
from regatta.stakes.overview import free_points, stakes_of
from regatta.submissions.models import ContributedModel

room = Room("points")


class StakeAnswer(Told):
    """A model's points, exact decimals as text."""

    model: str
    stake: str
    locked: str = Field(description="The most that sealed rounds may still burn.")
    free: str


class Move(Asked):
    """Points to be moved."""

    points: str = Field(max_length=6000, description="A decimal as text; negative takes back.")


class OwnStake(Told):
    """What one model has at stake."""

    model: str
    stake: str
    locked: str


class PointsAnswer(Told):
    """What a contributor has."""

    free: str
    stakes: list[OwnStake]


class Movement(Told):
    """One entry of a contributor's accounts."""

    id: int
    at: datetime
    kind: str
    model: str | None = Field(description="Whose stake; null: free points.")
    round: int | None
    amount: str


@room.get("/models/{str:name}/stake/", StakeAnswer)
@for_owners("model", scope="manage")
def stake(request: HttpRequest, name: str) -> dict[str, str]:
    """What a model has at stake."""
    return _stake(own_model(request, name))


@room.post("/models/{str:name}/stake/", StakeAnswer, 200, takes=Takes.JSON)
@for_owners("model", scope="manage")
def move(request: HttpRequest, name: str, data: Move) -> dict[str, str]:
    """Put points at stake, or with a negative number take them back.

    The same `Idempotency-Key` moves points once, however often and however late it is sent.
    """
    model = own_model(request, name)
    points = asked_points(data.points)
    key = request.headers.get(HEADER) or secrets.token_hex(16)
    if len(key) > MAX_KEY:
        raise Refusal(422, "idempotency_key", f"the {HEADER} has {len(key)} characters", f"at most {MAX_KEY}")
    exchange = put_at_stake if points > 0 else take_from_stake
    exchange(model, abs(points), key=f"stake:{model.owner_id}:{key}", now=model.tournament.now())
    return _stake(model)


@room.get("/points/", PointsAnswer)
@for_contributors(scope="read")
def points(request: HttpRequest) -> dict[str, Any]:
    """Your free points, and what each of your models has at stake."""
    models = list(own_models(request))
    found = stakes_of(models)
    stakes = [
        {"model": one.name, "stake": str(found[one.pk].points), "locked": str(found[one.pk].locked)} for one in models
    ]
    return {"free": str(free_points(contributor(request).pk)), "stakes": stakes}


@room.get("/points/movements/", Page[Movement])
@for_contributors(scope="read")
def movements(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Entries of your accounts, the newest first."""
    found = Entry.objects.filter(account__owner=contributor(request))
    found = found.select_related("transfer__round", "account__model")
    heavy = ("context", "stakes", "panel_models", "trial_models")
    return page(
        request, found.defer(*(f"transfer__round__{name}" for name in heavy)), paging, _movement, newest_first=True
    )


def _stake(model: ContributedModel) -> dict[str, str]:
    return {
        "model": model.name, "stake": str(balance(stake_of(model))), "locked": str(locked(model)),
        "free": str(balance(wallet(model.owner_id))),
    }  # fmt: skip


def _movement(entry: Entry) -> dict[str, Any]:
    transfer, model = entry.transfer, entry.account.model
    return {
        "id": entry.pk, "at": transfer.created_at, "kind": transfer.kind, "model": model.name if model else None,
        "round": transfer.round.number if transfer.round else None, "amount": str(entry.amount),
    }  # fmt: skip
