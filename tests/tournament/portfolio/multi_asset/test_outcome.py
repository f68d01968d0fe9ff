"""What a book did, taken apart: the parts sum to the engine's own columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.multi_asset.books import config, panel, quotes, signals
from tournament.portfolio.multi_asset import outcome
from tournament.portfolio.multi_asset.instruments import Calendar, together
from tournament.portfolio.multi_asset.walk import Walked, walk

BOOK = together(
    [
        quotes("stocks", 4, seed=1, volatility=0.012, carry=-0.03, borrow_per_year=0.02),
        quotes("coins", 3, seed=3, volatility=0.04, calendar=Calendar.EVERY_DAY, multiplier=10.0),
    ]
)
MADE = walk(BOOK, (signals(BOOK, "stocks", seed=5), signals(BOOK, "coins", seed=7)), config())


def test_instruments_parts_sum_to_the_book() -> None:
    earned, carry, cost = outcome.parts_by_instrument(MADE)

    assert carry.sum(axis=1) == pytest.approx(MADE.column("dividend"), abs=1e-14)
    assert (earned + carry).sum(axis=1) == pytest.approx(MADE.column("gross_return"), abs=1e-14)
    assert cost.sum(axis=1) == pytest.approx(MADE.column("cost"), abs=1e-14)
    assert (carry != 0).any()
    assert (MADE.column("borrow") > 0).any()


def test_groups_parts_sum_to_the_book() -> None:
    parts, years = outcome.group_parts(MADE), len(outcome.step_returns(MADE, "net_return")) / MADE.panel.steps_a_year

    assert sum(one.gross for one in parts) == pytest.approx(MADE.column("gross_return").sum() / years)
    assert sum(one.cost for one in parts) == pytest.approx(MADE.column("cost").sum() / years)
    assert sum(one.realised_share for one in parts) == pytest.approx(1.0)
    assert sum(one.forecast_share for one in parts) == pytest.approx(1.0)


def test_weekends_are_part_of_monday() -> None:
    net = outcome.step_returns(MADE, "net_return")

    assert len(net) == MADE.panel.steps_T[MADE.first :].sum()
    assert np.prod(1.0 + net) == pytest.approx(MADE.column("nav")[-1])


def test_contracts_times_price_and_multiplier_are_the_weights_money() -> None:
    frame = outcome.positions(MADE)
    last = frame[frame["date"] == frame["date"].max()].set_index("id")
    money = float(MADE.column("nav")[-1]) * MADE.config.book.capital

    for name in ("stocks0", "coins0"):
        place = BOOK.ids.index(name)
        worth = last.loc[name, "contracts"] * BOOK.price_TN[-1, place] * BOOK.instruments[place].multiplier
        assert worth == pytest.approx(last.loc[name, "weight"] * money)


def test_figures_have_errors_and_costs_make_them_worse() -> None:
    told = {one.name: one for one in outcome.figures_of(MADE)}

    assert told["Sharpe ratio"].error is not None
    assert told["Sharpe ratio"].error > 0
    assert told["Sharpe ratio"].value < told["Sharpe ratio before costs"].value
    assert told["Years"].value == pytest.approx(len(MADE.dates_T) / 365.25, rel=0.01)


def test_the_volatility_forecast_is_right_on_random_walks() -> None:
    one = panel()
    found = outcome.calibration_of(walk(one, (), replace(config(), risk=replace(config().risk, overlap_days=1))))

    assert found is not None
    assert found.bias == pytest.approx(1.0, abs=0.15)


def test_series_are_told_for_every_row() -> None:
    frame: Walked = MADE

    assert len(outcome.nav(frame)) == len(frame.dates_T)
    assert "carry" in outcome.nav(frame)
    assert len(outcome.budgets(frame)) == sum(len(made.shares) for made in frame.decisions)
    assert outcome.trades(frame)["trade"].abs().sum() == pytest.approx(frame.column("turnover").sum())
