"""The tick: whatever is due in a tournament, in the order of time; safe to run twice, late, or at the same time.

Each step is a conditional update of the round's state, so whoever comes second does nothing. A step that was cut off
after its state change is made good by the next tick: every product (weights, meta-model, book, scores) is written once
by its unique key and asked for again until it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

from regatta.ensemble.blending import blend_round
from regatta.ensemble.weighing import weigh_round
from regatta.portfolios.accounting import settle
from regatta.portfolios.allocation import allocate_round
from regatta.rounds.models import Round, Tournament
from regatta.rounds.opening import open_round
from regatta.rounds.sealing import seal
from regatta.scores.scoring import resolve_round, score_partially
from regatta.submissions.intake import submit_example

LOCK_SPACE = 7_301


def tick(tournament: Tournament, now: datetime) -> int:
    """Do everything due by `now`; how many steps were taken (0 while another tick of the tournament runs)."""
    with alone(tournament) as is_alone:
        return _run_due(tournament, now) if is_alone else 0


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


def _run_due(tournament: Tournament, now: datetime) -> int:
    steps = 0
    while not tournament.is_paused and (due := next_due(tournament, now)) is not None:
        round, at = due
        take_step(round, at)
        steps += 1
    score_partially(tournament, now)
    return steps


def next_due(tournament: Tournament, now: datetime) -> tuple[Round, datetime] | None:
    """The earliest step that is due, with the time at which it was due."""
    rounds = tournament.rounds.select_related("tournament")
    candidates = [
        (round.opens_at, round)
        for round in rounds.filter(status="SCHEDULED", opens_at__lte=now).order_by("opens_at")[:1]
    ]
    candidates += [(r.closes_at, r) for r in rounds.filter(status="OPEN", closes_at__lte=now).order_by("closes_at")[:1]]
    waiting = rounds.filter(status__in=["CLOSED", "RESOLVING"], resolves_at__lte=now).order_by("resolves_at")
    candidates += [(r.resolves_at, r) for r in waiting[:1]]
    unfinished = rounds.filter(status__in=["CLOSED", "RESOLVING", "RESOLVED"], rebalance=None).exclude(panel_models=[])
    candidates += [(r.closes_at, r) for r in unfinished.order_by("closes_at")[:1]]
    if not candidates:
        return None
    at, round = min(candidates, key=lambda candidate: (candidate[0], candidate[1].number))
    return round, at


def take_step(round: Round, at: datetime) -> None:
    """Take the one step that the round's state asks for."""
    if round.status == Round.Status.SCHEDULED:
        if open_round(round, at):
            submit_example(round, at)
    elif round.status == Round.Status.OPEN:
        seal(round, at)
        follow(round, at)
    elif at == round.closes_at:
        follow(round, at)
    else:
        resolve_round(round, at)


def follow(round: Round, at: datetime) -> None:
    """After the seal: weights, meta-model, book; each step is skipped when its row is there already."""
    if not round.panel_models:
        return
    settle(round.tournament, at)
    weigh_round(round, at)
    blend_round(round, at)
    allocate_round(round, at)
