"""What is due in a tournament, and whose turn it is; asks rows only, so that pages may ask too."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from django.db.models import Case, F, Min, Q, When

from regatta.rounds.models import Round, Tournament
from tournament.errors import BadInput, Fault

LOCK_SPACE = 7_301
STEPS = {"open": ("SCHEDULED",), "close": ("OPEN",), "score": ("CLOSED", "RESOLVING")}
"""The states from which each step leads on."""

BUSY = Fault("busy", "the schedule is moving this tournament's rounds right now", "try again in a minute")


@contextmanager
def alone(tournament: Tournament) -> Iterator[bool]:
    """Whether nobody else moves the tournament's rounds; while inside, nobody else may begin to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, tournament.pk])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, tournament.pk])


UNFINISHED = Q(status__in=["CLOSED", "RESOLVING", "RESOLVED"], rebalance=None) & ~Q(panel_models=[])
"""Sealed, but cut off before its book was written."""
DUE_AT = Case(
    When(status="SCHEDULED", then=F("opens_at")),
    When(status="OPEN", then=F("closes_at")),
    When(UNFINISHED, then=F("closes_at")),
    default=F("resolves_at"),
)


def next_due(tournament: Tournament, now: datetime, *, without: Collection[int] = ()) -> tuple[Round, datetime] | None:
    """The earliest step that is due, with the time at which it was due; rounds `without` (keys) are passed over."""
    waiting = Q(status__in=["SCHEDULED", "OPEN", "CLOSED", "RESOLVING"]) | UNFINISHED
    rounds = tournament.rounds.select_related("tournament").filter(waiting).exclude(pk__in=without)
    due = rounds.annotate(due_at=DUE_AT).filter(due_at__lte=now).order_by("due_at", "number").first()
    return None if due is None else (due, due.due_at)


def next_event(tournament: Tournament) -> datetime | None:
    """When the next round opens, closes or resolves after the tournament's present time; None when nothing is left."""
    now = tournament.now()
    times = tournament.rounds.aggregate(
        opens=Min("opens_at", filter=Q(opens_at__gt=now, status="SCHEDULED")),
        closes=Min("closes_at", filter=Q(closes_at__gt=now, status="OPEN")),
        resolves=Min("resolves_at", filter=Q(resolves_at__gt=now, status__in=["CLOSED", "RESOLVING"])),
    )
    return min((time for time in times.values() if time is not None), default=None)


def turn_of(round: Round, step: str, now: datetime) -> datetime:
    """When the step of the round became due.

    Raises BadInput when the round is not in the state for it, it is not due yet, or another step comes first:
    a step out of turn would see what was not known, or miss what was.
    """
    if round.status not in STEPS[step]:
        wanted = " or ".join(STEPS[step]).lower()
        raise BadInput(Fault("state", f"round {round.number} is {round.status.lower()}", f"it must be {wanted}"))
    due = next_due(round.tournament, now)
    if due is None or due[0].pk != round.pk:
        raise BadInput(_not_its_turn(round, due))
    return due[1]


def _not_its_turn(round: Round, due: tuple[Round, datetime] | None) -> Fault:
    if due is None:
        message = f"nothing of {round.tournament} is due at {round.tournament.now():%Y-%m-%d %H:%M} UTC"
        return Fault("not_due", message, "wait, or move the replay on")
    first, at = due
    message = f"round {first.number} ({first.status.lower()}) comes first, due since {at:%Y-%m-%d %H:%M} UTC"
    return Fault("not_its_turn", message, "take that step first, or do everything that is due")
