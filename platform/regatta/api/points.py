"""Points: what is free, and what a model has at stake."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404

from regatta.api.envelope import Refusal, body, endpoint
from regatta.stakes.ledger import balance, locked, put_at_stake, stake_of, take_from_stake, wallet
from regatta.submissions.models import ContributedModel
from tournament.scoring.payout import POINT

MAX_KEY = 80
NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")


@endpoint("GET", "POST", scope="manage")
def stake(request: HttpRequest, name: str) -> JsonResponse:
    """What the model has at stake; POST `{"points": "25.5"}` adds to it, a negative number takes away.

    The same `Idempotency-Key` moves points once, however often it is sent.
    """
    owner = request.api_key.owner  # type: ignore[attr-defined]
    model = get_object_or_404(ContributedModel.objects.select_related("tournament"), owner=owner, name=name)
    if request.method == "POST":
        points = asked_points(body(request, "points")["points"])
        key = request.headers.get("Idempotency-Key") or secrets.token_hex(16)
        if len(key) > MAX_KEY:
            raise Refusal(
                422, "idempotency_key", f"the Idempotency-Key has {len(key)} characters", f"at most {MAX_KEY}"
            )
        exchange = put_at_stake if points > 0 else take_from_stake
        exchange(model, abs(points), key=f"stake:{owner.pk}:{key}", now=model.tournament.now())
    return JsonResponse(stake_json(model))


def stake_json(model: ContributedModel) -> dict[str, Any]:
    """Exact decimals as text."""
    return {
        "model": model.name, "stake": str(balance(stake_of(model))), "locked": str(locked(model)),
        "free": str(balance(wallet(model.owner_id))),
    }  # fmt: skip


def asked_points(text: str) -> Decimal:
    """The points that a text names, not zero. Raises Refusal."""
    points = Decimal(text) if NUMBER.fullmatch(text) else Decimal("NaN")
    if not points.is_finite() or abs(points) > 10**12 or points != points.quantize(POINT):
        hint = "send a decimal number as text, with at most six decimals"
        raise Refusal(422, "points", f"{text[:40]!r} is no number of points", hint)
    if not points:
        raise Refusal(422, "points", "no points are to be moved", "send more than 0 to add, less than 0 to take back")
    return points
