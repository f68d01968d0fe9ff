"""Markets of different days on one calendar: carry by the calendar day, steps that are weekdays, units."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tournament.portfolio.multi_asset.books import HOLIDAY, panel, quotes
from tournament.errors import BadInput
from tournament.portfolio.multi_asset.instruments import Calendar, Instrument, Quotes, accrued, together
from tournament.portfolio.multi_asset.walk import contracts, in_whole_contracts


def test_a_market_has_no_close_on_days_of_others() -> None:
    one = panel()
    holiday, saturday = (int(np.searchsorted(one.dates_T, day)) for day in (HOLIDAY, np.datetime64("2018-07-07")))

    assert np.isnan(one.index_TN[holiday, :6]).all()
    assert np.isfinite(one.index_TN[holiday, 6:]).all()
    assert np.isfinite(one.index_TN[saturday]).tolist() == [False] * 10 + [True] * 3
    assert (one.known_TN[holiday, :6] == one.index_TN[holiday - 1, :6]).all()


def test_the_books_days_are_weekdays_unless_all_trade_every_day() -> None:
    coins = together([quotes("coins", 2, seed=1, volatility=0.04, calendar=Calendar.EVERY_DAY)])

    assert not panel().steps_T.all()
    assert np.is_busday(panel().dates_T[panel().steps_T]).all()
    assert coins.steps_T.all()
    assert (coins.rows_a_year, coins.steps_a_year) == (365.25, 365.25)


def test_carry_is_booked_for_every_calendar_day_since_the_close_before_at_the_rate_known_then() -> None:
    days = np.array(["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"], "datetime64[D]")
    index = np.array([[1.0], [1.1], [1.2], [1.3]])
    rate = np.array([[0.365], [0.730], [9.0], [9.0]])

    assert accrued(days, index, rate)[:3, 0] == pytest.approx([0.0, 0.001, 3 * 0.002])


def test_carry_over_a_holiday_comes_with_the_next_close() -> None:
    days = np.array(["2020-01-06", "2020-01-07", "2020-01-08"], "datetime64[D]")
    index = np.array([[1.0], [np.nan], [1.2]])

    assert accrued(days, index, np.full((3, 1), 0.365))[:, 0] == pytest.approx([0.0, 0.0, 0.002])


def test_contracts_are_money_over_price_and_multiplier() -> None:
    made = Quotes(
        np.array(["2020-01-02", "2020-01-03"], "datetime64[D]"),
        (Instrument("ES", "equity", multiplier=50.0), Instrument("shares", "equity")),
        np.ones((2, 2)), np.array([[4000.0, 20.0], [4000.0, 25.0]]), np.zeros((2, 2)), np.zeros((2, 2)),
    )  # fmt: skip
    one = together([made])

    held = contracts(np.array([-0.5, 0.25]), one, 1, 1e6)
    whole = in_whole_contracts(np.array([-0.5, 0.25]), one, 1, 1e6)

    assert held == pytest.approx([-0.5e6 / (4000 * 50), 0.25e6 / 25])
    assert whole == pytest.approx([-2 * 4000 * 50 / 1e6, 0.25])


def test_a_name_in_two_markets_is_refused() -> None:
    with pytest.raises(BadInput, match="3 instruments are in more than one market"):
        together([quotes("coins", 3, seed=1, volatility=0.04), quotes("coins", 3, seed=2, volatility=0.04)])
