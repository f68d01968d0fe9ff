"""The live book's values are, to the bit, what a backtest of the same books over the same dates gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from regatta import artifacts
from regatta.portfolios.accounting import orders_of, settle, walk
from regatta.portfolios.books import COSTS, EXECUTION, EXPECTED_CORR, LIMITS, RISK
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import columns_of, known_prices, row_after
from tests.flows import seas
from tournament.portfolio.accounting import COLUMNS
from tournament.portfolio.backtest import Market, replay, run
from tournament.portfolio.config import BacktestConfig, SignalConfig

pytestmark = pytest.mark.django_db
SAILED = 14


@pytest.fixture
def sailed() -> Tournament:
    """Fourteen rounds, the fifteenth open."""
    tournament = seas.make()
    seas.sail(tournament, SAILED)
    seas.advance(tournament, tournament.rounds.get(number=SAILED + 1).opens_at)
    return tournament


def backtest_of(tournament: Tournament) -> Any:
    """All books of the course, replayed at once from cash."""
    panel = known_prices(tournament, tournament.now())
    books = list(Rebalance.objects.filter(round__tournament=tournament).order_by("round__number"))
    none = np.full(panel.close_DN.shape, np.nan)
    market = Market(panel.dates_D, panel.ids, panel.close_DN, none, volume_TN=panel.volume_DN)
    return replay(market, orders_of(panel, books), COSTS, EXECUTION), panel


def test_the_live_course_is_the_backtest_of_its_books_to_the_bit(sailed: Tournament) -> None:
    course, panel = backtest_of(sailed)

    live = list(NavPoint.objects.filter(tournament=sailed).order_by("date"))
    assert [point.date for point in live] == list(panel.dates_D[course.first :].astype(object))
    assert len(live) > 4 * SAILED
    for name in COLUMNS:
        assert [getattr(point, name) for point in live] == list(course.column(name)), name
    walked = walk(sailed, panel)
    assert walked is not None
    assert walked.value == course.end.value
    assert np.array_equal(walked.money_N, course.end.money_N)


def test_a_course_without_openings_is_walked_through_from_its_first_book(sailed: Tournament) -> None:
    known = list(NavPoint.objects.order_by("date").values_list("date", "nav", "round"))
    NavPoint.objects.all().delete()
    Rebalance.objects.update(opening={})

    assert settle(sailed, sailed.now()) == len(known)

    assert list(NavPoint.objects.order_by("date").values_list("date", "nav", "round")) == known
    assert settle(sailed, sailed.now()) == 0


def test_a_day_belongs_to_the_book_that_was_held_through_it(sailed: Tournament) -> None:
    panel = known_prices(sailed, sailed.now())
    books = list(Rebalance.objects.select_related("round").order_by("round__number"))
    rows = orders_of(panel, books).rows_R

    for point in NavPoint.objects.select_related("round").order_by("date"):
        row = int(np.searchsorted(panel.dates_D, np.datetime64(point.date)))
        filled_before = [book for book, at in zip(books, rows, strict=True) if at < row]
        assert point.round == (filled_before or books[:1])[-1].round
        assert point.forecast == pytest.approx(Rebalance.objects.get(round=point.round).expected_risk / 252**0.5)


def test_values_come_with_the_closes_also_between_rounds(sailed: Tournament) -> None:
    before = NavPoint.objects.count()

    seas.advance(sailed, sailed.now() + timedelta(days=1))

    assert NavPoint.objects.count() == before + 1


def test_a_backtest_of_the_meta_model_chooses_the_live_books(sailed: Tournament) -> None:
    panel = known_prices(sailed, sailed.now())
    signal = np.full(panel.close_DN.shape, np.nan)
    books = list(Rebalance.objects.select_related("round__meta_model").order_by("round__number"))
    for book in books:
        row = row_after(panel, book.known_at) - 1
        signal[row, columns_of(book.round, panel)] = np.frombuffer(artifacts.get(book.round.meta_model.sha256))
    rules = SignalConfig(EXPECTED_CORR, sailed.parsed_rules().horizon_days)
    limits = LIMITS.widened_for(len(columns_of(books[0].round, panel)))
    market = Market(panel.dates_D, panel.ids, panel.close_DN, signal, volume_TN=panel.volume_DN)

    made = run(market, BacktestConfig(limits, COSTS, RISK, signal=rules, execution=EXECUTION))

    # the live files shuffle their rows, which the last bits of sums feel; all else is the same
    live = list(NavPoint.objects.filter(tournament=sailed).order_by("date").values_list("nav", flat=True))
    assert list(made.done.column("nav")) == pytest.approx(live, abs=1e-9)
