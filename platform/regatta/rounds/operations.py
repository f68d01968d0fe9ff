"""What a harbourmaster asks for by hand: the step of a round that is due, or everything that is due, or a pause.

The work itself is a worker's: it loads solvers and learners, which a web process does not.
"""

from __future__ import annotations

from datetime import datetime

from regatta.jobs.flow import enqueue
from regatta.jobs.models import Job
from regatta.rounds.due import turn_of
from regatta.rounds.models import Round, Tournament


def ask_step(round: Round, step: str, now: datetime) -> Job:
    """Promise to open, close or score a round. Raises BadInput when it is not its turn."""
    turn_of(round, step, now)
    payload = {"tournament": round.tournament.slug, "round": round.number, "step": step}
    return enqueue("take_step", Job.Queue.IO, payload, now=now)


def ask_advance(tournament: Tournament, now: datetime) -> Job:
    """Promise to do everything that is due."""
    return enqueue("advance", Job.Queue.IO, {"tournament": tournament.slug}, now=now)


def pause(tournament: Tournament, *, is_paused: bool) -> bool:
    """Stop or restart a tournament's schedule; whether anything changed."""
    found = Tournament.objects.filter(pk=tournament.pk, is_paused=not is_paused)
    return bool(found.update(is_paused=is_paused))
