"""Drive one tournament's clock through history: open, wait for the fleet, close, train, resolve."""

from __future__ import annotations

import time
from datetime import datetime

from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from regatta.rounds.schedule import tick
from regatta.submissions.models import Submission

Fleet = dict[str, tuple[int, int | None]]
"""For each model, from which to before which round it submits."""
WAITING = (Round.Status.SCHEDULED, Round.Status.OPEN)
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 180.0


class Becalmed(RuntimeError):
    """The fleet or a worker did not answer in time."""


def sail(tournament: Tournament, expected: Fleet, *, through: int) -> None:
    """Replay at full speed until round `through` is open and answered by the fleet; resumes where it was cut off."""
    _finish(tournament)
    for round in tournament.rounds.filter(number__lte=through, status__in=WAITING).order_by("number"):
        _advance(tournament, round.opens_at)
        _await_fleet(tournament, round, expected)
        if round.number < through:
            _advance(tournament, round.closes_at)


def drift(tournament: Tournament, expected: Fleet, *, seconds: float) -> None:
    """Sail on through the rounds that are left, one every so many seconds, in which it lies open."""
    _finish(tournament)
    for round in tournament.rounds.filter(status__in=WAITING).order_by("number"):
        _advance(tournament, round.opens_at)
        _await_fleet(tournament, round, expected)
        time.sleep(seconds)
        _advance(tournament, round.closes_at)


def _finish(tournament: Tournament) -> None:
    """Do what a replay that was cut off left undone, at its own time: later, the scores of that day would be lost."""
    if tournament.clock_at is not None:
        _advance(tournament, tournament.clock_at)


def _advance(tournament: Tournament, to: datetime) -> None:
    """Move the clock, never back, and do what is due; trainings end before time goes on, as weeks would pass."""
    if tournament.clock_at is None or to > tournament.clock_at:
        Tournament.objects.filter(pk=tournament.pk).update(clock_at=to)
        tournament.clock_at = to
    deadline = time.monotonic() + PATIENCE_SECONDS
    while tick(tournament, to) is None:  # the database may not know yet that another replay was killed
        _pause(deadline, "another tick of the tournament did not end")
    while Job.objects.filter(payload__tournament=tournament.slug, state__in=["QUEUED", "RUNNING"]).exists():
        _pause(deadline, "a training did not end")


def _await_fleet(tournament: Tournament, round: Round, expected: Fleet) -> None:
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
