"""The tick: whatever is due in a tournament, in the order of time; safe to run twice, late, or at the same time.

Each step is a conditional update of the round's state, so whoever comes second does nothing. A step that was cut off
after its state change is made good by the next tick: every product (weights, meta-model, book, scores) is written once
by its unique key and asked for again until it is there.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from regatta.ensemble.blending import blend_round
from regatta.ensemble.weighing import weigh_round
from regatta.hosting.sailing import ask_runs
from regatta.notifications.models import Event
from regatta.notifications.telling import announce
from regatta.orders.filling import fill_confirmed
from regatta.portfolios.accounting import settle
from regatta.portfolios.allocation import allocate_round
from regatta.portfolios.attributing import attribute_settled
from regatta.predictors.contributing import contribute
from regatta.rounds.due import BUSY, STEPS, alone, next_due, turn_of
from regatta.rounds.models import Round, Tournament
from regatta.rounds.opening import open_round
from regatta.rounds.prices import same_files
from regatta.rounds.sealing import seal
from regatta.scores.scoring import resolve_round, score_partially
from tournament.errors import BadInput


def tick(tournament: Tournament, now: datetime) -> int | None:
    """Do everything due by `now`; how many steps were taken (None while another tick of the tournament runs)."""
    with alone(tournament) as is_alone, same_files():
        return _run_due(tournament, now) if is_alone else None


def take(round: Round, step: str, now: datetime) -> None:
    """Open, close or score a round whose turn it is, at the time at which it was due; done before, it does nothing.

    Raises BadInput when another tick moves the rounds, the step is not due yet, or another step comes first.
    """
    with alone(round.tournament) as is_alone, same_files():
        if not is_alone:
            raise BadInput(BUSY)
        round.refresh_from_db()
        if round.status in STEPS[step]:
            take_step(round, turn_of(round, step, now))


def _run_due(tournament: Tournament, now: datetime) -> int:
    steps, waiting = 0, set[int]()
    while not tournament.is_paused and (due := next_due(tournament, now, without=waiting)) is not None:
        round, at = due
        if take_step(round, at):
            steps += 1
        else:  # its prices have not come: the next tick asks again
            waiting.add(round.pk)
    score_partially(tournament, now)
    settle(tournament, now)
    fill_confirmed(tournament, now)
    return steps


def take_step(round: Round, at: datetime) -> bool:
    """Take the one step that the round's state asks for; False when it must wait for prices."""
    if round.status == Round.Status.SCHEDULED:
        with transaction.atomic():
            if open_round(round, at):
                contribute(round)
                ask_runs(round)
                announce(round, Event.OPENED)
    elif round.status == Round.Status.OPEN:
        contribute(round)  # what an opening that was cut off left undone
        seal(round, at)
        follow(round, at)
    elif at == round.closes_at:
        follow(round, at)
    else:
        return resolve_round(round, at)
    return True


def follow(round: Round, at: datetime) -> None:
    """After the seal: weights, meta-model, book; each step is skipped when its row is there already."""
    if not round.panel_models:
        return
    with transaction.atomic():  # one commit: each waits for the disk
        settle(round.tournament, at)
        attribute_settled(round.tournament, at)
        weigh_round(round, at)
        blend_round(round, at)
        allocate_round(round, at)
