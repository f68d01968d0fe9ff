"""Drive one tournament's clock through history: open, wait for the fleet, close, train, resolve."""

from __future__ import annotations

import time
from datetime import datetime

from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from regatta.rounds.schedule import tick
from regatta.submissions.models import Submission

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 180.0


class Becalmed(RuntimeError):
    """The fleet or a worker did not answer in time."""


def sail(tournament: Tournament, expected: dict[str, tuple[int, int | None]], *, spare: int = 1) -> None:
    """Replay every round but the last `spare`, which stay open or unresolved; resumes where it was cut off.

    `expected` says for each model from which to before which round it submits.
    """
    rounds = list(tournament.rounds.order_by("number"))
    for round in rounds[: len(rounds) - spare + 1]:
        if round.status != Round.Status.SCHEDULED and round.status != Round.Status.OPEN:
            continue
        _advance(tournament, round.opens_at)
        _await_fleet(tournament, round, expected)
        if round.number == rounds[-1].number:
            break
        _advance(tournament, round.closes_at)


def _advance(tournament: Tournament, to: datetime) -> None:
    """Move the clock, never back, and do what is due; trainings end before time goes on, as weeks would pass."""
    if tournament.clock_at is None or to > tournament.clock_at:
        Tournament.objects.filter(pk=tournament.pk).update(clock_at=to)
        tournament.clock_at = to
    tick(tournament, to)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Job.objects.filter(payload__tournament=tournament.slug, state__in=["QUEUED", "RUNNING"]).exists():
        _pause(deadline, "a training did not end")


def _await_fleet(tournament: Tournament, round: Round, expected: dict[str, tuple[int, int | None]]) -> None:
    """Wait until every model that sails this round has an accepted submission."""
    wanted = {
        name
        for name, (joins, leaves) in expected.items()
        if joins <= round.number and (leaves is None or round.number < leaves)
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        accepted = Submission.objects.filter(round=round, status=Submission.Status.ACCEPTED)
        if wanted <= set(accepted.values_list("model__name", flat=True)):
            return
        _pause(deadline, f"round {round.number}: not all of {len(wanted)} models sent predictions")


def _pause(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise Becalmed(f"{what} within {PATIENCE_SECONDS:.0f} s; see var/log")
    time.sleep(POLL_SECONDS)
