"""Points as text, for REST and GraphQL alike."""

from __future__ import annotations

import re
from decimal import Decimal

from regatta.api.envelope import Refusal
from tournament.scoring.payout import POINT

NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")


def asked_points(text: str) -> Decimal:
    """The points that a text names, not zero. Raises Refusal."""
    points = Decimal(text) if NUMBER.fullmatch(text) else Decimal("NaN")
    if not points.is_finite() or abs(points) > 10**12 or points != points.quantize(POINT):
        hint = "send a decimal number as text, with at most six decimals"
        raise Refusal(422, "points", f"{text[:40]!r} is no number of points", hint)
    if not points:
        raise Refusal(422, "points", "no points are to be moved", "send more than 0 to add, less than 0 to take back")
    return points
