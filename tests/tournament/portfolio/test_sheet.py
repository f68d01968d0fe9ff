"""The tear sheet of a backtest: its parts, its sums, and that no figure of a day reads a later one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.tournament.portfolio.markets import market, with_other_prices_after
from tournament.portfolio import report
from tournament.portfolio.backtest import Backtest, run
from tournament.portfolio.config import config_from
from tournament.portfolio.metrics import sharpe
from tournament.portfolio.sheet import sweeps
from tournament.portfolio.sheet.attribution import attribute
from tournament.portfolio.sheet.panels_risk import deflated, overfitting, shortest_record
from tournament.portfolio.sheet.periods import drawdowns, monthly, round_trips, worst_months
from tournament.portfolio.sheet.record import Record, Trials, record_of
from tournament.portfolio.sheet.series import concentration, series_of
from tournament.portfolio.sheet.sheet import sheet_of

SMALL = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "risk": {"factors": 3}})
HINDSIGHT = "market_at_same_volatility"


@pytest.fixture(scope="module")
def done() -> Backtest:
    """The small market with volumes."""
    one = market(strength=0.5)
    volume = np.random.default_rng(0).uniform(1e6, 1e7, one.close_TN.shape)
    return run(replace(one, volume_TN=volume), SMALL)


@pytest.fixture(scope="module")
def record(done: Backtest) -> Record:
    """Its record."""
    return record_of(done, "small")


def test_every_part_is_there_and_spelled_out(done: Backtest, record: Record) -> None:
    text = report.html(done, record, sheet_of(record))

    assert text.count("<h3>") >= 31
    assert len(text) < 300_000
    assert " style=" not in text
    assert ">nan" not in text


def test_no_series_of_a_day_reads_a_later_one() -> None:
    day = 200
    ours, theirs = (record_of(run(one, SMALL), "x") for one in (market(), with_other_prices_after(market(), day)))

    frames = [series_of(one, attribute(one)).drop(columns=HINDSIGHT) for one in (ours, theirs)]

    rows = day + 1 - ours.course.first
    pd.testing.assert_frame_equal(frames[0].iloc[:rows], frames[1].iloc[:rows], check_exact=True)
    assert not frames[0].iloc[rows:].equals(frames[1].iloc[rows:])


def test_styles_and_the_choice_of_assets_sum_to_the_return(record: Record) -> None:
    parted = attribute(record)

    assert parted.styles[-1] == "size"
    assert parted.earned_TS.sum(axis=1) + parted.selection_T == pytest.approx(record.gross_T)


def test_the_replay_without_changes_is_the_course_itself(record: Record) -> None:
    same = sweeps._replayed(record)

    assert np.array_equal(same.days_TK, record.course.days_TK)


def test_at_the_break_even_spread_nothing_is_left(record: Record) -> None:
    spread = sweeps.break_even(record)

    assert spread > record.costs.half_spread
    assert float(sweeps._net(record, spread).mean()) == pytest.approx(0, abs=1e-7)


def test_wider_spreads_leave_less_and_larger_books_have_lower_ratios(record: Record) -> None:
    by_spread, by_size = sweeps.spread_sweep(record), sweeps.size_sweep(record)

    assert list(by_spread.values) == sorted(by_spread.values, reverse=True)
    assert by_size is not None
    earning = [value for value in by_size.values if value > 0]
    assert len(earning) > 3
    assert earning == sorted(earning, reverse=True)


def test_at_capacity_the_ratio_is_half(record: Record) -> None:
    size = sweeps.capacity(record)

    free, half = (float(sharpe(sweeps._at_size(record, one), 252.0)) for one in (0.0, size))
    assert half == pytest.approx(free / 2, rel=0.05)


def test_the_signals_edge_fades_with_delay(record: Record) -> None:
    swept = sweeps.delay_decay(record)

    assert swept.settings[:3] == (0, 1, 2)
    assert swept.values[-1] < swept.values[1]
    assert all(error > 0 for error in swept.errors)


def test_more_trials_deflate_the_ratio(record: Record) -> None:
    alone, many = (deflated(replace(record, trials=Trials(count))) for count in (1, 1000))

    assert alone[1] == 0
    assert many[1] > 2
    assert many[0] < alone[0]


def test_strategies_without_skill_are_overfitted_half_of_the_time(record: Record) -> None:
    noise = np.random.default_rng(0).standard_normal((400, 30))
    skill = noise.copy()
    skill[:, 3] += 0.5

    assert overfitting(replace(record, trials=Trials(30, returns_TS=noise))) > 0.2
    assert overfitting(replace(record, trials=Trials(30, returns_TS=skill))) == 0
    assert np.isnan(overfitting(record))


def test_the_years_needed_grow_as_the_ratio_falls(record: Record) -> None:
    weaker = replace(record, course=replace(record.course, days_TK=record.course.days_TK.copy()))
    weaker.course.days_TK[:, 2] -= 0.5 * record.net_T.mean()

    assert shortest_record(weaker) > 2 * shortest_record(record)


def test_drawdowns_by_hand() -> None:
    found = drawdowns(np.array([0.1, -0.1, -0.1, 0.3, -0.05, 0.02]))

    assert [(one.peak, one.bottom, one.recovered) for one in found] == [(0, 2, 3), (3, 4, None)]
    assert found[0].depth == pytest.approx(-0.19)


def test_months_compound_and_the_year_stands_last() -> None:
    dates = pd.DatetimeIndex(["2020-01-30", "2020-01-31", "2020-03-02", "2021-01-04"])

    years, values = monthly(np.array([0.1, 0.1, -0.5, 0.2]), dates)

    assert years == ["2020", "2021"]
    assert values[0, 0] == pytest.approx(0.21)
    assert np.isnan(values[0, 1])
    assert values[:, 12] == pytest.approx([1.21 * 0.5 - 1, 0.2])


def test_the_worst_windows_of_the_market_do_not_overlap() -> None:
    returns = np.zeros(100)
    returns[[30, 70]] = -0.2, -0.1

    first, second = worst_months(returns, days=10, most=2)

    assert first[0] <= 30 <= first[1]
    assert second[0] <= 70 <= second[1]


def test_round_trips_by_hand() -> None:
    weights = np.array([[0.0], [0.5], [0.5], [-0.5], [-0.5], [0.0]])
    returns = np.array([[0.0], [0.0], [0.1], [0.1], [-0.1], [0.1]])

    found = round_trips(weights, returns)

    assert found.days.tolist() == [2, 2]
    assert found.earned == pytest.approx([0.1, 0.0])


def test_concentration_counts_equal_positions() -> None:
    assert concentration(np.array([[0.25, -0.25, 0.25, 0.25], [1.0, 0, 0, 0], [0, 0, 0, 0]])).tolist() == [4, 1, 0]
