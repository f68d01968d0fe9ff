"""Exposure follows risk and drawdown, knows no future, pays for its changes, and goes on from where it stood."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tournament.errors import BadConfig, BadInput
from tournament.portfolio.overlay.controls import State, cushion, manage
from tournament.portfolio.overlay.settings import CONSTANT, DEFAULT, LEARNABLE, Controls, Floats, Grid
from tournament.portfolio.overlay.sizing import believed_sharpe, kelly_volatility

SETTINGS = list(LEARNABLE.values())
YEAR = 252.0


def draws(periods: int = 700, strategies: int = 3, seed: int = 4) -> Floats:
    rng = np.random.default_rng(seed)
    wild_TS = np.exp(0.5 * np.sin(np.arange(periods) / 40.0))[:, None]
    return np.asarray(0.0004 + 0.008 * wild_TS * rng.standard_normal((periods, strategies)))


def test_future_returns_change_no_earlier_exposure_by_a_bit() -> None:
    return_TS, day = draws(), 400
    other_TS = return_TS.copy()
    other_TS[day:] = -3.0 * other_TS[day:] + 0.01
    cost_TS = np.full_like(return_TS, 0.0005)

    ours, theirs = (manage(one, cost_TS, SETTINGS, periods_a_year=YEAR) for one in (return_TS, other_TS))

    assert np.array_equal(ours.exposure_TJS[: day + 1], theirs.exposure_TJS[: day + 1])
    assert np.array_equal(ours.net_TJS[:day], theirs.net_TJS[:day])
    assert not np.array_equal(ours.exposure_TJS[day + 1 :], theirs.exposure_TJS[day + 1 :])


def test_the_same_comparison_sees_a_day_of_look_ahead() -> None:
    return_TS, day = draws(), 400
    other_TS = return_TS.copy()
    other_TS[day:] = -3.0 * other_TS[day:] + 0.01
    nothing = np.zeros_like(return_TS)

    leaking = [manage(one, nothing, SETTINGS, periods_a_year=YEAR).exposure_TJS[1:] for one in (return_TS, other_TS)]

    assert not np.array_equal(leaking[0][: day + 1], leaking[1][: day + 1])


def test_a_course_in_pieces_has_the_bits_of_the_course_in_one() -> None:
    return_TS = draws()
    cost_TS = np.full_like(return_TS, 0.0005)
    whole = manage(return_TS, cost_TS, SETTINGS, periods_a_year=YEAR)

    first = manage(return_TS[:333], cost_TS[:333], SETTINGS, periods_a_year=YEAR)
    kept = State.read(json.loads(json.dumps(first.end.written())))
    second = manage(return_TS[333:], cost_TS[333:], SETTINGS, periods_a_year=YEAR, start=kept)

    assert np.array_equal(np.concatenate([first.net_TJS, second.net_TJS]), whole.net_TJS)
    assert np.array_equal(second.end.value, whole.end.value)


def test_exposure_is_target_over_volatility() -> None:
    return_TS = np.where(np.arange(2_000) % 2, 0.01, -0.01)[:, None]
    fixed = Controls(target=0.05, band=0.0, half_life=20.0)

    managed = manage(return_TS, np.zeros_like(return_TS), [fixed], periods_a_year=YEAR)

    assert managed.exposure_TJS[-1, 0, 0] == pytest.approx(0.05 / (0.01 * np.sqrt(252)))


def test_before_enough_periods_the_exposure_is_one() -> None:
    return_TS = draws(periods=100)

    managed = manage(return_TS, np.zeros_like(return_TS), [replace(DEFAULT, band=0.0)], periods_a_year=YEAR)

    assert (managed.exposure_TJS[:60] == 1.0).all()
    assert (managed.exposure_TJS[60:] != 1.0).all()


def test_small_changes_are_not_traded_and_large_ones_are_paid_for() -> None:
    return_TS = draws()
    cost_TS = np.full_like(return_TS, 0.001)

    banded, free = (
        manage(return_TS, cost_TS, [replace(DEFAULT, band=band)], periods_a_year=YEAR) for band in (0.1, 0.0)
    )

    change_TJS = np.abs(np.diff(banded.exposure_TJS, axis=0, prepend=1.0))
    assert (change_TJS > 0).mean() < 0.2 < (np.abs(np.diff(free.exposure_TJS, axis=0)) > 0).mean()
    paid = banded.exposure_TJS * return_TS[:, None] - banded.net_TJS
    assert paid == pytest.approx(0.001 * change_TJS, abs=1e-15)


def test_days_without_the_strategy_change_nothing() -> None:
    return_TS = draws(strategies=1)
    gaps_TS = np.insert(return_TS, 350, np.full((50, 1), np.nan), axis=0)

    whole, gappy = (manage(one, np.zeros_like(one), SETTINGS, periods_a_year=YEAR) for one in (return_TS, gaps_TS))

    assert np.array_equal(whole.net_TJS[350:], gappy.net_TJS[400:])


def test_the_cushion_is_that_of_grossman_and_zhou() -> None:
    grid = Grid.of([Controls(drawdown_limit=0.2, floor=0.1)])
    state = State.fresh(1, 4)
    state = replace(state, value=np.array([[1.0, 0.9, 0.81, 0.5]]))

    assert cushion(state, grid)[0] == pytest.approx([1.0, 0.1 / (0.2 * 0.9), 0.1, 0.1])


def test_without_a_floor_a_book_at_its_limit_is_trapped() -> None:
    fallen = np.concatenate([[-0.25], np.full(900, 0.004)])[:, None]
    settings = [replace(CONSTANT, drawdown_limit=0.2, floor=floor) for floor in (0.0, 0.25)]

    trapped, floored = manage(fallen, np.zeros_like(fallen), settings, periods_a_year=YEAR).end.value[:, 0]

    assert trapped == pytest.approx(0.75)
    assert floored > 1.0


def test_drawdown_control_keeps_losses_above_its_limit() -> None:
    falling = np.full((1_500, 1), -0.002)
    settings = [replace(CONSTANT, drawdown_limit=0.2, floor=0.0, band=0.0), CONSTANT]

    controlled, free = manage(falling, np.zeros_like(falling), settings, periods_a_year=YEAR).end.value[:, 0]

    assert free < 0.1
    assert controlled > 0.8


def test_kelly_bets_less_on_the_less_certain_and_nothing_on_losers() -> None:
    believed, variance = believed_sharpe(np.array([1.0, 1.0, -1.0]), np.array([1.0, 20.0, 20.0]))
    size = kelly_volatility(np.array([1.0, 1.0, -1.0]), np.array([1.0, 20.0, 20.0]), np.full(3, 0.5))

    assert believed == pytest.approx(
        [(0.3 / 0.16 + 1.0) / 7.25, (0.3 / 0.16 + 20.0) / 26.25, (0.3 / 0.16 - 20) / 26.25]
    )
    assert variance == pytest.approx([1 / 7.25, 1 / 26.25, 1 / 26.25])
    assert 0 < size[0] < size[1] < 0.5 * believed[1]
    assert size[2] == 0


def test_kelly_leaves_a_strategy_that_only_loses() -> None:
    losing_TS = draws(periods=2_000, strategies=1) - 0.002

    managed = manage(losing_TS, np.zeros_like(losing_TS), [replace(DEFAULT, kelly=0.5)], periods_a_year=YEAR)

    assert managed.exposure_TJS[-1, 0, 0] == 0


def test_impossible_settings_are_refused_by_name() -> None:
    with pytest.raises(BadConfig, match="half_life is 0"):
        Controls(half_life=0)
    with pytest.raises(BadInput, match="expected T x S"):
        manage(np.zeros((3, 1)), np.zeros((2, 1)), [DEFAULT], periods_a_year=YEAR)
