"""What a harbourmaster does by hand: take the step of a round that is due, or everything that is due, or pause."""

from __future__ import annotations

from datetime import datetime

from regatta.rounds.models import Round, Tournament
from regatta.rounds.schedule import alone, next_due, take_step, tick
from tournament.errors import BadInput, Fault

STEPS = {"open": ("SCHEDULED",), "close": ("OPEN",), "score": ("CLOSED", "RESOLVING")}
"""The states from which each step leads on."""
BUSY = Fault("busy", "the schedule is moving this tournament's rounds right now", "try again in a minute")


def take(round: Round, step: str, now: datetime) -> Round.Status:
    """Open, close or score a round whose turn it is, at the time at which it was due; its state afterwards.

    Raises BadInput when the round is not in the state for it, it is not due yet, or another step comes first:
    a step out of turn would see what was not known, or miss what was.
    """
    with alone(round.tournament) as is_alone:
        if not is_alone:
            raise BadInput(BUSY)
        round.refresh_from_db()
        if round.status not in STEPS[step]:
            wanted = " or ".join(STEPS[step]).lower()
            raise BadInput(Fault("state", f"round {round.number} is {round.status.lower()}", f"it must be {wanted}"))
        due = next_due(round.tournament, now)
        if due is None or due[0].pk != round.pk:
            raise BadInput(_not_its_turn(round, due))
        take_step(due[0], due[1])
    round.refresh_from_db()
    return Round.Status(round.status)


def advance(tournament: Tournament, now: datetime) -> int:
    """Do everything that is due; how many steps were taken."""
    return tick(tournament, now)


def pause(tournament: Tournament, *, is_paused: bool) -> bool:
    """Stop or restart a tournament's schedule; whether anything changed."""
    found = Tournament.objects.filter(pk=tournament.pk, is_paused=not is_paused)
    return bool(found.update(is_paused=is_paused))


def _not_its_turn(round: Round, due: tuple[Round, datetime] | None) -> Fault:
    if due is None:
        message = f"nothing of {round.tournament} is due at {round.tournament.now():%Y-%m-%d %H:%M} UTC"
        return Fault("not_due", message, "wait, or move the replay on")
    first, at = due
    message = f"round {first.number} ({first.status.lower()}) comes first, due since {at:%Y-%m-%d %H:%M} UTC"
    return Fault("not_its_turn", message, "take that step first, or do everything that is due")
