"""What a tournament's clock waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from regatta.rounds.models import Round, Tournament


@dataclass(frozen=True, slots=True)
class Due:
    """The next step of a tournament's schedule."""

    tournament: Tournament
    what: str
    at: datetime | None
    is_overdue: bool


def next_step(tournament: Tournament) -> Due:
    """What the tournament's clock waits for."""
    steps = [
        ("opens", "opens_at", [Round.Status.SCHEDULED]),
        ("closes", "closes_at", [Round.Status.OPEN]),
        ("resolves", "resolves_at", [Round.Status.CLOSED, Round.Status.RESOLVING]),
    ]
    found = []
    for word, field, states in steps:
        row = tournament.rounds.filter(status__in=states).order_by(field).values_list("number", field).first()
        if row is not None:
            found.append((row[1], f"round {row[0]} {word}"))
    if not found:
        return Due(tournament, "nothing", None, is_overdue=False)
    at, what = min(found)
    return Due(tournament, what, at, is_overdue=at < tournament.now())
