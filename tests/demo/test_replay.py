"""A replay that is killed goes on where it was, and leaves what an undisturbed one leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from demo import replay
from regatta.rounds import schedule
from regatta.rounds.due import LOCK_SPACE
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.submissions.models import Submission
from tests.flows import seas

ROUNDS = 6


@pytest.fixture
def tournament(db: None) -> Tournament:
    return seas.make(submissions_per_round=4)


@pytest.fixture(autouse=True)
def fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contributors who answer as soon as the replay waits for them."""

    def answer(tournament: Tournament, round: Round, expected: object) -> None:
        round.refresh_from_db()
        for name in seas.FEATURES:
            if not Submission.objects.filter(round=round, model__name=name).exists():
                seas.submit(name, round)

    monkeypatch.setattr(replay, "_await_fleet", answer)


class Killed(BaseException):
    """What no handler of errors may catch."""


def scores() -> list[tuple[Any, ...]]:
    rows = Score.objects.values_list("round__number", "model__name", "day", "is_final", "known_at", "corr", "mmc")
    return sorted(rows, key=str)


@pytest.mark.parametrize("tick_of_end", [4, 5, 8, 11])
def test_partial_scores_of_the_day_of_a_kill_are_made_good(
    tournament: Tournament, monkeypatch: pytest.MonkeyPatch, tick_of_end: int
) -> None:
    with transaction.atomic():
        replay.sail(tournament, {}, through=ROUNDS)
        undisturbed = scores()
        transaction.set_rollback(True)
    tournament.refresh_from_db()
    ticks = 0

    def killed_once(*args: Any) -> int:
        nonlocal ticks
        ticks += 1
        if ticks == tick_of_end:
            raise Killed
        return score_partially(*args)

    score_partially = schedule.score_partially
    monkeypatch.setattr(schedule, "score_partially", killed_once)
    with pytest.raises(Killed):
        replay.sail(tournament, {}, through=ROUNDS)
    replay.sail(Tournament.objects.get(), {}, through=ROUNDS)

    assert {row[2] for row in undisturbed if not row[3]}
    assert scores() == undisturbed


def test_a_replay_waits_while_its_killed_forerunner_seems_to_tick(
    tournament: Tournament, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = connection.copy()
    waits = 0

    def end_of_the_other(*_: object) -> None:
        nonlocal waits
        waits += 1
        other.close()

    monkeypatch.setattr(replay, "_pause", end_of_the_other)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_SPACE, tournament.pk])
    replay.sail(tournament, {}, through=1)

    assert waits >= 1
    assert seas.first(tournament).status == Round.Status.OPEN
