"""How values are written for a client that parses some of them itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds: of one length, so that texts sort as times do."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def day(on: date | None) -> str | None:
    """The beginning of a day in UTC."""
    return None if on is None else moment(datetime(on.year, on.month, on.day, tzinfo=UTC))


def points(amount: Decimal | None) -> str | None:
    """An exact decimal as text: the client makes a Decimal of it; nothing is nothing, not less than it."""
    return None if amount is None else f"{amount + 0:f}"
