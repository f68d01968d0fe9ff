"""Positions are closed at their levels, at the open beyond them, and not without levels."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadConfig
from tournament.portfolio.overlay.settings import Floats
from tournament.portfolio.overlay.stops import Prices, Stops, exits, hold


def day(open_: float, high: float, low: float) -> Prices:
    return Prices(np.array([open_]), np.array([high]), np.array([low]))


def closed(side: float, prices: Prices, stops: Stops, *, best: float = 100.0) -> float:
    return float(exits(np.array([side]), np.array([100.0]), np.array([best]), prices, stops)[0])


@pytest.mark.parametrize(
    ("side", "prices", "fill"),
    [
        (1.0, day(95, 96, 89), 90.0),
        (1.0, day(85, 88, 80), 85.0),
        (1.0, day(95, 96, 91), np.nan),
        (-1.0, day(105, 111, 104), 110.0),
        (-1.0, day(115, 120, 114), 115.0),
        (0.0, day(50, 50, 50), np.nan),
        (1.0, day(np.nan, np.nan, np.nan), np.nan),
    ],
)
def test_a_stop_is_filled_at_its_level_or_at_the_open_beyond_it(side: float, prices: Prices, fill: float) -> None:
    assert closed(side, prices, Stops(loss=0.1, slippage=0.0)) == pytest.approx(fill, nan_ok=True)


def test_a_stop_slips_against_the_position() -> None:
    assert closed(1.0, day(95, 96, 89), Stops(loss=0.1, slippage=0.01)) == pytest.approx(89.1)
    assert closed(-1.0, day(105, 111, 104), Stops(loss=0.1, slippage=0.01)) == pytest.approx(111.1)


def test_a_gain_is_taken_at_its_price_and_after_a_loss_of_the_same_day() -> None:
    both = Stops(loss=0.1, gain=0.2, slippage=0.0)

    assert closed(1.0, day(110, 125, 109), both) == pytest.approx(120.0)
    assert closed(-1.0, day(90, 91, 79), both) == pytest.approx(80.0)
    assert closed(1.0, day(100, 125, 85), both) == pytest.approx(90.0)


def test_a_trailing_stop_follows_the_best_price() -> None:
    trailing = Stops(trailing=0.1, slippage=0.0)

    assert closed(1.0, day(130, 131, 116), trailing, best=130.0) == pytest.approx(117.0)
    assert closed(-1.0, day(70, 78, 69), trailing, best=70.0) == pytest.approx(77.0)


def test_without_levels_a_holding_earns_its_prices() -> None:
    close_TN = np.array([[101.0, 48.0], [99.0, np.nan], [105.0, 45.0]])

    held = hold_at(close_TN, Stops())

    assert held.earned_T.sum() == pytest.approx(0.5 * 0.05 + 0.5 * 0.1)
    assert held.earned_T[1] == pytest.approx(-0.5 * 0.02)
    assert not held.closed_N.any()


def test_what_is_stopped_earns_no_more() -> None:
    close_TN = np.array([[101.0, 48.0], [85.0, 47.0], [200.0, 45.0]])

    held = hold_at(close_TN, Stops(loss=0.1, slippage=0.0))

    assert held.closed_N.tolist() == [True, False]
    assert held.earned_T.sum() == pytest.approx(0.5 * -0.15 + 0.5 * 0.1)
    assert held.earned_T[2] == pytest.approx(0.5 * 2 / 50)


def test_levels_that_are_no_fractions_are_refused() -> None:
    with pytest.raises(BadConfig, match="stops: loss is"):
        Stops(loss=1.5)


def hold_at(close_TN: Floats, stops: Stops):  # type: ignore[no-untyped-def]
    """Long the first, short the second from 100 and 50; days without range."""
    return hold(np.array([0.5, -0.5]), np.array([100.0, 50.0]), close_TN, close_TN, close_TN, close_TN, stops)
