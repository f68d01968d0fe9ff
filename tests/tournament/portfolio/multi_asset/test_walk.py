"""A book of several classes through history: causal, booked to the cent, and still where a market is closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.multi_asset.books import HOLIDAY, config, panel, quotes, signals, with_other_future
from tournament.errors import Infeasible
from tournament.portfolio.multi_asset.config import BookConfig, Method
from tournament.portfolio.multi_asset.instruments import Calendar, Instrument, Panel, Quotes, together
from tournament.portfolio.multi_asset.walk import Walked, walk

OWN = [Method.EQUAL_MONEY, Method.EQUAL_VOLATILITY, Method.RISK_PARITY, Method.NESTED_RISK_PARITY, Method.CONVEX]
PANEL = panel()
SIGNALS = (
    signals(PANEL, "stocks", seed=5), signals(PANEL, "bonds", seed=6, standard="directional"),
    signals(PANEL, "coins", seed=7, standard="directional"),
)  # fmt: skip


def row_of(one: Panel, day: np.datetime64) -> int:
    return int(np.searchsorted(one.dates_T, day))


def chosen_on(one: Panel, day: np.datetime64, made: BookConfig) -> BookConfig:
    """The same rules with a book chosen on a given day, whatever the week."""
    steps = np.flatnonzero(one.steps_T)
    return replace(made, risk=replace(made.risk, least_days=60 + int(np.searchsorted(steps, row_of(one, day))) % 5))


def two_markets(*, carry: float = 0.0, borrow: float = 0.0, multiplier: float = 1.0) -> Panel:
    about = {"borrow_per_year": borrow, "multiplier": multiplier}
    return together(
        [
            quotes("stocks", 3, seed=1, volatility=0.01, carry=carry, holidays=(HOLIDAY,), **about),
            quotes("bonds", 3, seed=2, volatility=0.005, carry=carry, **about),
        ]
    )


@pytest.mark.parametrize("method", OWN)
def test_another_future_leaves_the_past_as_it_was_to_the_bit(method: str) -> None:
    row = row_of(PANEL, np.datetime64("2018-10-17"))
    later = tuple(replace(one, signal_TN=one.signal_TN.copy()) for one in SIGNALS)
    for one in later:
        one.signal_TN[row + 1 :] *= -3.0

    rules = config(method, every_days=10)
    ours, theirs = walk(PANEL, SIGNALS, rules), walk(with_other_future(PANEL, row), later, rules)

    books = sum(one.row <= row for one in ours.decisions)
    assert books > 8
    for mine, other in zip(ours.decisions[:books], theirs.decisions[:books], strict=True):
        assert np.array_equal(mine.target_N, other.target_N)
        assert (mine.volatility_per_year, mine.shares) == (other.volatility_per_year, other.shares)
    for name in ("weights_TN", "trades_TN", "days_TK"):
        days = row + 1 - ours.first
        assert np.array_equal(ours.table(name)[:days], theirs.table(name)[:days])
        assert not np.array_equal(ours.table(name), theirs.table(name))


def test_a_holiday_of_one_class_leaves_its_positions_alone() -> None:
    one = walk(PANEL, SIGNALS, chosen_on(PANEL, HOLIDAY, config("convex")))
    holiday = row_of(PANEL, HOLIDAY) - one.first
    stocks = np.array([group == "stocks" for group in PANEL.groups])
    weights, trades, value = one.table("weights_TN"), one.table("trades_TN"), one.column("nav")

    assert (trades[holiday, stocks] == 0).all()
    money = weights * value[:, None]
    assert money[holiday, stocks] == pytest.approx(money[holiday - 1, stocks], abs=1e-15)
    chosen_then = next(made for made in one.decisions if made.row == holiday + one.first)
    assert chosen_then.left_N[stocks].all()
    assert (trades[holiday + 1, stocks] == 0).all()
    assert (trades[holiday + 1, ~stocks] != 0).any()


def test_an_order_waits_for_its_market_to_open() -> None:
    holiday = row_of(PANEL, HOLIDAY)
    made = walk(PANEL, SIGNALS, chosen_on(PANEL, HOLIDAY - 1, config("risk_parity")))
    stocks = np.array([group == "stocks" for group in PANEL.groups])

    assert holiday in [one.fill for one in made.decisions]
    trades = made.table("trades_TN")[holiday - made.first :]
    assert (trades[0, stocks] == 0).all()
    assert (trades[1, stocks] != 0).any()
    assert (trades[1, ~stocks] == 0).all()


def test_on_weekends_only_coins_move() -> None:
    one = walk(PANEL, SIGNALS, config())
    saturday = row_of(PANEL, np.datetime64("2018-10-20")) - one.first
    money = one.table("weights_TN") * one.column("nav")[:, None]
    coins = np.array([group == "coins" for group in PANEL.groups])

    assert (one.table("trades_TN")[saturday] == 0).all()
    assert money[saturday, ~coins] == pytest.approx(money[saturday - 1, ~coins], abs=1e-15)
    assert (money[saturday, coins] != money[saturday - 1, coins]).all()


def test_carry_is_booked_to_the_cent_and_paid_by_shorts() -> None:
    plain, carried = two_markets(), two_markets(carry=0.0365)
    given = (signals(plain, "stocks", seed=5), signals(plain, "bonds", seed=6))
    without, made = walk(plain, given, config()), walk(carried, given, config())
    weights, value = made.table("weights_TN"), made.column("nav")
    closes = carried.index_TN[made.first :]
    money = np.nan_to_num(weights[:-1] * value[:-1, None] * closes[1:] / carried.known_TN[made.first : -1])

    booked = (money * carried.carry_TN[made.first + 1 :]).sum(axis=1)

    assert made.column("dividend")[1:] * value[:-1] == pytest.approx(booked, abs=1e-15)
    assert (np.abs(booked) > 0).mean() > 0.9
    assert (booked < 0).any()
    assert without.column("dividend").tolist() == [0.0] * len(without.column("dividend"))


def test_borrow_is_a_years_over_a_years_rows() -> None:
    one = two_markets(borrow=0.02)
    made = walk(one, (signals(one, "stocks", seed=5), signals(one, "bonds", seed=6)), config())

    short = made.column("short")[:-1]
    assert made.column("borrow")[1:] == pytest.approx(short * 0.02 / one.rows_a_year)


def test_the_half_spread_paid_is_that_known_at_the_choice() -> None:
    one = two_markets()
    dear = replace(one, spread_TN=np.cumsum(np.full(one.spread_TN.shape, 1e-5), axis=0))
    made = walk(dear, (), config())
    first = made.decisions[0]

    traded = np.abs(made.table("trades_TN")[0]).sum()
    assert made.column("spread")[0] == pytest.approx(traded * dear.spread_TN[first.row, 0])


@pytest.mark.parametrize("method", ["risk_parity", "nested_risk_parity", "convex"])
def test_groups_keep_to_their_budgets_and_the_book_to_its_volatility(method: str) -> None:
    wanted = {"stocks": 0.5, "bonds": 0.3, "coins": 0.2}
    free = replace(PANEL, spread_TN=np.zeros_like(PANEL.spread_TN))
    made = walk(free, (), replace(config(method), budgets={"stocks": 5.0, "bonds": 3.0, "coins": 2.0}))

    for one in made.decisions:
        assert one.shares == pytest.approx(wanted, abs=0.01)
        assert one.volatility_per_year == pytest.approx(0.10, rel=0.02)


def test_a_group_without_a_budget_is_not_held() -> None:
    made = walk(PANEL, (), replace(config(), budgets={"stocks": 0.5, "bonds": 0.5, "coins": 0.0}))
    coins = np.array([group == "coins" for group in PANEL.groups])

    assert (made.table("weights_TN")[:, coins] == 0).all()


def test_signals_that_do_not_pay_for_their_trades_are_not_traded() -> None:
    dear = replace(PANEL, spread_TN=np.full_like(PANEL.spread_TN, 0.2))

    assert (walk(dear, SIGNALS, config("convex")).table("weights_TN") == 0).all()


def test_a_neutral_group_sums_to_nothing() -> None:
    made = walk(PANEL, SIGNALS, replace(config("convex", every_days=10), neutral=("stocks",)))
    stocks = np.array([group == "stocks" for group in PANEL.groups])

    free = [one for one in made.decisions if not one.left_N[stocks].any()]
    assert [float(one.target_N[stocks].sum()) for one in free] == pytest.approx([0.0] * len(free), abs=1e-9)
    assert max(np.abs(one.target_N[stocks]).sum() for one in free) > 0.1


def test_a_multiplier_changes_units_and_nothing_else() -> None:
    small, large = (walk(two_markets(multiplier=size), (), config()) for size in (1.0, 50.0))

    assert np.array_equal(small.table("days_TK"), large.table("days_TK"))


def test_whole_contracts_round_towards_nothing() -> None:
    one = two_markets(multiplier=1000.0)
    part, whole = (walk(one, (), config(contracts=kind, capital=1e6)) for kind in ("fractional", "whole"))
    unit = 1000.0 * one.price_TN[part.decisions[0].row] / 1e6
    size = whole.decisions[0].target_N / unit

    assert size == pytest.approx(np.trunc(part.decisions[0].target_N / unit))
    assert (size != 0).any()


def test_a_delisted_instrument_is_settled_after_the_days_it_is_waited_for() -> None:
    made, gone = two_markets(), row_of(two_markets(), np.datetime64("2018-10-01"))
    index = made.index_TN.copy()
    index[gone:, 0] = np.nan
    known = np.where(np.isfinite(index), index, made.index_TN[gone - 1])
    one = walk(replace(made, index_TN=index, known_TN=known), (), config())

    settled = np.argwhere(one.table("settled_TN"))
    assert settled.tolist() == [[gone + config().book.gone_days - 1 - one.first, 0]]
    assert (one.table("weights_TN")[settled[0, 0] :, 0] == 0).all()


def test_too_little_history_is_no_book() -> None:
    with pytest.raises(Infeasible, match="too few days to learn from"):
        walk(PANEL, (), replace(config(), risk=replace(config().risk, least_days=400, window_days=400)))


def test_one_instrument_is_no_book() -> None:
    days = np.arange(np.datetime64("2018-01-01"), np.datetime64("2019-01-01"))
    index = np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, (len(days), 1)), axis=0))
    alone = Quotes(days, (Instrument("one", "coins", Calendar.EVERY_DAY),), index, index, index * 0, index * 0)

    with pytest.raises(Infeasible, match="1 instruments have a budget"):
        walk(together([alone]), (), config())


def values(made: Walked) -> list[float]:
    return [float(value) for value in made.column("nav")]


def test_what_a_book_earns_is_what_its_weights_earned() -> None:
    made = walk(PANEL, (), config())
    weights, returns = made.table("weights_TN"), np.zeros_like(PANEL.known_TN)
    returns[1:] = np.nan_to_num(PANEL.known_TN[1:] / PANEL.known_TN[:-1] - 1.0)

    earned = (weights[:-1] * returns[made.first + 1 :]).sum(axis=1)

    assert made.column("gross_return")[1:] == pytest.approx(earned, abs=1e-12)
    assert values(made)[-1] == pytest.approx(float(np.prod(1.0 + made.column("net_return"))))
