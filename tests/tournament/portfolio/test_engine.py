"""The engine by hand: every cent that a book earns and pays, and the same bits however a course is cut."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadInput
from tournament.portfolio.engine import GONE_DAYS, Course, Holdings, Orders, Rates, advance

FREE = Rates(np.zeros(2), np.zeros(2))
EMPTY = Holdings(np.zeros(2))


def course(closes: list[list[float]], book: list[float], rates: Rates = FREE, **more: object) -> Course:
    """One book of two assets, filled at the first close and held to the end."""
    orders = Orders(np.array([0]), np.array([book]), more.pop("impact_RN", None))  # type: ignore[arg-type]
    return advance(EMPTY, np.array(closes), orders, rates, first=0, last=len(closes) - 1, **more)  # type: ignore[arg-type]


def test_weights_drift_with_prices() -> None:
    made = course([[10, 10], [11, 10], [11, 9]], [0.5, -0.5])

    assert made.column("gross_return") == pytest.approx([0, 0.05, 0.05 / 1.05])
    assert made.end.value == pytest.approx(1.10)
    assert made.weights_TN[-1] == pytest.approx([0.55 / 1.10, -0.45 / 1.10])
    assert made.column("gross")[-1] == pytest.approx(1.0 / 1.10)
    assert made.column("net")[-1] == pytest.approx(0.1 / 1.10)
    assert (made.column("long")[-1], made.column("short")[-1]) == pytest.approx((0.5, 0.45 / 1.10))


def test_half_spread_is_paid_on_what_is_traded() -> None:
    made = course([[10, 10], [10, 10]], [0.5, -0.3], Rates(np.array([0.001, 0.002]), np.zeros(2)))

    assert made.column("spread") == pytest.approx([0.5 * 0.001 + 0.3 * 0.002, 0])
    assert made.column("turnover") == pytest.approx([0.8, 0])
    assert made.end.value == pytest.approx(1 - 0.0011)


def test_impact_grows_with_the_power_of_three_halves() -> None:
    made = course([[10, 10]], [0.25, -0.16], impact_RN=np.array([[0.01, 0.02]]))

    assert made.column("impact") == pytest.approx([0.01 * 0.25**1.5 + 0.02 * 0.16**1.5])


def test_shorts_pay_borrow_for_every_night() -> None:
    made = course([[10, 10]] * 3, [0.5, -0.5], Rates(np.zeros(2), np.array([0.0, 0.0252])))

    assert made.column("borrow")[0] == 0
    assert made.column("borrow")[1] == pytest.approx(0.5 * 0.0252 / 252)
    assert made.end.value == pytest.approx(1 - 2 * 0.5 * 0.0001)


def test_cash_earns_interest_and_a_debit_pays_it() -> None:
    rich, debtor = (
        course([[10, 10]] * 2, book, Rates(np.zeros(2), np.zeros(2), 0.0252)) for book in ([0.5, 0], [1, 1])
    )

    assert rich.column("interest")[1] == pytest.approx(0.5 * 0.0001)
    assert debtor.column("interest")[1] == pytest.approx(-0.0001)


def test_longs_receive_dividends_and_shorts_owe_them() -> None:
    dividends = np.array([[np.nan, np.nan], [0.02, 0.01]])

    made = course([[10, 10], [9.8, 10]], [0.5, -0.5], dividend_TN=dividends)

    assert made.column("dividend")[1] == pytest.approx(0.49 * 0.02 - 0.5 * 0.01)
    assert made.column("gross_return")[1] == pytest.approx(-0.01 + 0.49 * 0.02 - 0.5 * 0.01)


def test_a_gap_earns_at_its_end_and_is_not_traded_meanwhile() -> None:
    nan = float("nan")
    orders = Orders(np.array([0, 1]), np.array([[0.5, 0.0], [0.0, 0.5]]))

    made = advance(EMPTY, np.array([[10, 10], [nan, 10], [12, 10]]), orders, FREE, first=0, last=2)

    assert made.column("gross_return") == pytest.approx([0, 0, 0.1])
    assert made.trades_TN[1] == pytest.approx([0, 0.5])


def test_what_is_gone_is_settled_at_its_last_close_and_the_delisting_return() -> None:
    closes = [[10.0, 10.0], [9.0, 10.0]] + [[float("nan"), 10.0]] * (GONE_DAYS + 1)
    rates = Rates(np.array([0.001, 0.001]), np.zeros(2), delisting_return=-0.3)

    made = course(closes, [0.5, 0.0], rates)

    row = 1 + GONE_DAYS
    assert made.settled_TN[row, 0]
    assert made.settled_TN.sum() == 1
    assert made.weights_TN[row - 1, 0] > 0
    assert made.weights_TN[row, 0] == 0
    assert made.column("turnover")[row] == pytest.approx(0.45 * 0.7 / (made.column("nav")[row - 1] - 0.135))
    assert made.end.value == pytest.approx(1 - 0.0005 - 0.05 - 0.45 * 0.3 - 0.45 * 0.7 * 0.001)


def test_a_ruined_book_stays_at_nothing() -> None:
    made = course([[10, 10], [10, 40], [10, 50]], [0.0, -0.5])

    assert made.column("nav").tolist() == [1, 0, 0]
    assert made.column("net_return") == pytest.approx([0, -1, 0])
    assert (made.weights_TN[1:] == 0).all()


def test_of_two_books_for_one_close_the_later_is_traded() -> None:
    orders = Orders(np.array([0, 0]), np.array([[1.0, 0.0], [0.0, 1.0]]))

    made = advance(EMPTY, np.array([[10.0, 10.0]]), orders, FREE, first=0, last=0)

    assert made.weights_TN[0].tolist() == [0, 1]


def random_course() -> tuple[np.ndarray, Orders, Rates, np.ndarray]:
    """Everything at once: gaps, the gone, impact, dividends, cash."""
    rng = np.random.default_rng(0)
    closes = 10 * np.exp((0.02 * rng.standard_normal((90, 7))).cumsum(axis=0))
    closes[rng.random(closes.shape) < 0.05] = np.nan
    closes[60:, 2] = np.nan
    rows = np.arange(3, 88, 4)
    orders = Orders(rows, 0.3 * rng.standard_normal((len(rows), 7)), np.full((len(rows), 7), 0.01))
    rates = Rates(np.full(7, 1e-3), np.full(7, 0.02), 0.03, -0.3)
    return closes, orders, rates, np.where(rng.random(closes.shape) < 0.02, 0.01, np.nan)


@pytest.mark.parametrize("step", [1, 2, 7, 30])
def test_a_course_cut_in_pieces_has_the_bits_of_the_whole(step: int) -> None:
    closes, orders, rates, dividends = random_course()

    whole = advance(Holdings(np.zeros(7)), closes, orders, rates, first=0, last=89, dividend_TN=dividends)
    held, days = Holdings(np.zeros(7)), []
    for first in range(0, 90, step):
        last = min(90, first + step) - 1
        part = advance(held, closes[: last + 1], orders, rates, first=first, last=last, dividend_TN=dividends)
        held, days = part.end, [*days, part.days_TK]

    assert np.array_equal(np.concatenate(days), whole.days_TK)
    assert np.array_equal(held.money_N, whole.end.money_N)
    assert whole.settled_TN.any()


def test_no_day_reads_a_later_close() -> None:
    closes, orders, rates, _ = random_course()
    changed = closes.copy()
    changed[50:] *= 2

    ours, theirs = (advance(Holdings(np.zeros(7)), one, orders, rates, first=0, last=89) for one in (closes, changed))

    assert np.array_equal(ours.days_TK[:50], theirs.days_TK[:50])
    assert not np.array_equal(ours.days_TK[50], theirs.days_TK[50])


def test_returns_costs_and_values_agree() -> None:
    closes, orders, rates, dividends = random_course()

    made = advance(Holdings(np.zeros(7)), closes, orders, rates, first=0, last=89, dividend_TN=dividends)

    parts = sum(made.column(name) for name in ("spread", "impact", "borrow"))
    assert made.column("cost") == pytest.approx(parts)
    assert made.column("net_return") == pytest.approx(made.column("gross_return") - made.column("cost"))
    assert made.column("nav") == pytest.approx(np.cumprod(1 + made.column("net_return")))
    assert made.end.money_N.sum() / made.end.value == pytest.approx(made.column("net")[-1])


def test_books_without_numbers_are_refused() -> None:
    with pytest.raises(BadInput, match="no numbers"):
        Orders(np.array([0]), np.array([[np.nan, 1.0]]))
    with pytest.raises(BadInput, match="1 books for 2 orders"):
        Orders(np.array([0, 1]), np.array([[0.0, 1.0]]))


def test_what_is_left_is_not_traded_whatever_the_book_says() -> None:
    orders = Orders(
        np.array([0, 1]), np.array([[0.5, 0.5], [0.1, 0.1]]), left_RN=np.array([[False] * 2, [False, True]])
    )
    made = advance(EMPTY, np.array([[10.0, 10.0], [10.0, 12.0]]), orders, FREE, first=0, last=1)

    assert made.trades_TN[1, 1] == 0
    assert made.end.money_N == pytest.approx([0.1 * 1.1, 0.6])


def test_marks_of_another_shape_are_refused() -> None:
    with pytest.raises(BadInput, match="marks of what is left"):
        Orders(np.array([0]), np.zeros((1, 2)), left_RN=np.zeros((2, 2), dtype=bool))


def test_an_asset_of_a_market_with_long_holidays_is_waited_for() -> None:
    closes = np.array([[10.0, 10.0]] + [[float("nan"), 10.0]] * 8 + [[11.0, 10.0]])
    orders, rates = Orders(np.array([0]), np.array([[1.0, 0.0]])), Rates(np.zeros(2), np.zeros(2), gone_days=12)
    made = advance(EMPTY, closes, orders, rates, first=0, last=9)

    assert not made.settled_TN.any()
    assert made.end.value == pytest.approx(1.1)
