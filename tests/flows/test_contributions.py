"""What each model did for the book is written with a round's final scores, from what was realised by then."""

from __future__ import annotations

import numpy as np
import pytest

from regatta import artifacts
from regatta.portfolios.contributing import holding_of, premises_of
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices
from regatta.scores.models import Leaderboard, Score
from tests.flows import seas
from tests.flows.booked import booked
from tournament.portfolio.kernel.solve import solve

pytestmark = pytest.mark.django_db


@pytest.fixture
def tournament() -> Tournament:
    made = seas.make()
    seas.sail(made, 9)
    return made


def test_final_scores_have_contributions_that_cancel_by_weight(tournament: Tournament) -> None:
    scores = list(Score.objects.filter(is_final=True, round__number=2).order_by("model__name").select_related("model"))
    weights = tournament.rounds.get(number=2).weights.get(answers=True).weights

    assert all(score.contribution is not None and score.mpc is not None for score in scores)
    assert max(abs(score.contribution or 0) for score in scores) > 1e-6
    assert sum(weights[s.model.name] * (s.contribution or 0) for s in scores) == pytest.approx(0, abs=1e-12)


def test_partial_scores_have_none(tournament: Tournament) -> None:
    partial = Score.objects.filter(is_final=False)

    assert partial.exists()
    assert not partial.exclude(contribution=None, mpc=None).exists()


def test_the_returns_are_those_that_the_accounts_booked(tournament: Tournament) -> None:
    book = Rebalance.objects.select_related("round__tournament").get(round__number=3)
    premises = premises_of(book)

    held = holding_of(book, premises.ids, known_prices(tournament, tournament.now()), tournament.now())

    assert held is not None
    weights = solve(premises.problem()).weights_N
    assert weights @ held.returns_N == pytest.approx(booked(book.round), abs=1e-12)


def test_before_the_next_book_nothing_is_realised(tournament: Tournament) -> None:
    book = Rebalance.objects.select_related("round__tournament").get(round__number=3)

    panel = known_prices(tournament, book.known_at)

    assert holding_of(book, premises_of(book).ids, panel, book.known_at) is None


def test_a_stored_book_is_found_again_from_its_premises(tournament: Tournament) -> None:
    book = Rebalance.objects.get(round__number=5)
    premises = premises_of(book)
    by_id = dict(zip(premises.ids, solve(premises.problem()).weights_N, strict=True))

    assert {row["id"]: row["weight"] for row in book.holdings if row["weight"]} == {
        name: weight for name, weight in by_id.items() if weight
    }
    assert book.prices.keys() == {"net", "beta", "gross", "turnover"}
    assert np.array_equal(premises_of(book).alpha_N, premises.alpha_N)
    assert artifacts.exists(book.premises_sha256)


def test_the_board_averages_contributions(tournament: Tournament) -> None:
    board = Leaderboard.objects.order_by("-round__number")[0]
    resolved = Score.objects.filter(is_final=True, model__name="kelpie").values_list("contribution", flat=True)

    line = next(row for row in board.rows if row["model"] == "kelpie")

    assert line["contribution"] == pytest.approx(np.mean(list(resolved)))
    assert line["mpc"] is not None


def test_attributed_returns_sum_to_what_the_accounts_booked(tournament: Tournament) -> None:
    points = list(NavPoint.objects.exclude(attribution=None).select_related("attribution", "round__tournament"))

    assert len(points) == 7  # of nine books the last two are still held or unfilled
    for point in points:
        assert sum(point.attribution.realised) == pytest.approx(booked(point.round), abs=1e-12)
        assert sum(point.attribution.risk) == pytest.approx(1.0)
    assert len(points) > 5
