"""The live book is held in the share that its own days ask for, and keeps what the next choice needs."""

from __future__ import annotations

import numpy as np
import pytest

from regatta.portfolios.books import COSTS, LIMITS
from regatta.portfolios.contributing import premises_of
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from tests.flows import seas
from tournament.portfolio.overlay.live import Course, followed

pytestmark = pytest.mark.django_db
SAILED = 4


@pytest.fixture
def sailed() -> Tournament:
    """Four rounds, about fifteen days."""
    tournament = seas.make()
    seas.sail(tournament, SAILED)
    return tournament


def test_a_book_that_has_become_wild_is_held_in_part(sailed: Tournament) -> None:
    books = Rebalance.objects.filter(round__tournament=sailed).order_by("-round__number")
    wild = books[0]
    state = wild.overlay["course"]["state"]
    state["periods"] = [[100.0] for _ in state["periods"]]
    state["squares"] = [
        [100.0 * one / weight / 4.0] for [one], [weight] in zip(state["quick"], state["quick_weight"], strict=True)
    ]
    wild.save()

    seas.sail(sailed, SAILED + 1)

    before, after = wild.overlay["share"], books[0].overlay["share"]
    assert (before, wild.gross) == (1.0, pytest.approx(1.0))
    assert 0.3 < after < 0.7
    assert books[0].gross == pytest.approx(after)
    assert premises_of(books[0]).limits.gross == pytest.approx(LIMITS.gross * after)


def test_a_book_keeps_the_course_of_all_days_before_it(sailed: Tournament) -> None:
    newest = Rebalance.objects.filter(round__tournament=sailed).order_by("-round__number")[0]
    points = NavPoint.objects.filter(tournament=sailed).order_by("date")
    whole_T = np.array([point.net_return / point.round.rebalance.overlay["share"] for point in points])

    course = followed(Course.begun(), whole_T, cost=COSTS.half_spread * LIMITS.gross)

    assert newest.overlay["course"] == course.written()
    assert newest.overlay["why"]["days"] == len(points)
