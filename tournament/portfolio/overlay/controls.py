"""Exposure decided after every period from what was known then, acting in the next one, for all settings at once.

Shape suffixes: T periods, J settings, S strategies. A strategy's return is that of exposure 1; what is managed earns
exposure x return - cost x |change of exposure|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tournament.errors import BadInput
from tournament.portfolio.overlay.settings import Controls, Floats, Grid
from tournament.portfolio.overlay.sizing import kelly_volatility

TINY = 1e-300


@dataclass(frozen=True, slots=True)
class State:
    """All that is carried from period to period (J x S each); sums are over the periods known so far.

    `quick` and `quick_weight` are the exponentially weighted squares; `value` and `peak` those of the managed book.
    """

    held: Floats
    periods: Floats
    total: Floats
    squares: Floats
    quick: Floats
    quick_weight: Floats
    value: Floats
    peak: Floats

    @classmethod
    def fresh(cls, settings: int, strategies: int) -> State:
        """Before the first period: exposure 1, value 1."""
        zero, one = np.zeros((settings, strategies)), np.ones((settings, strategies))
        return cls(one, zero, zero, zero, zero, zero, one, one)

    def written(self) -> dict[str, Any]:
        """As it is kept with a book."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    @classmethod
    def read(cls, kept: dict[str, Any]) -> State:
        """From what `written` gave."""
        return cls(**{field.name: np.array(kept[field.name], float) for field in fields(cls)})


def seen(state: State, grid: Grid, return_S: Floats, net_JS: Floats) -> State:
    """The state after a period: the strategy's own return and what was earned; NaN: nothing happened, all is kept."""
    known = np.isfinite(return_S)
    earned, own = np.where(known, net_JS, 0.0), np.where(known, return_S, 0.0)
    decay = np.where(known, grid.decay, 1.0)
    value = state.value * np.maximum(1.0 + earned, 0.0)
    return State(
        held=state.held,
        periods=state.periods + known,
        total=state.total + own,
        squares=state.squares + own**2,
        quick=decay * state.quick + (1.0 - decay) * own**2,
        quick_weight=decay * state.quick_weight + (1.0 - decay),
        value=value,
        peak=np.maximum(state.peak, value),
    )


def decided(state: State, grid: Grid, *, periods_a_year: float) -> Floats:
    """The exposure of the next period (J x S): wanted, and traded to where it leaves the band around what is held."""
    wanted = wanted_exposure(state, grid, periods_a_year=periods_a_year)
    moves = np.abs(wanted - state.held) > grid.band * np.maximum(state.held, 1e-9)
    return np.where(moves, wanted, state.held)


def wanted_exposure(state: State, grid: Grid, *, periods_a_year: float) -> Floats:
    """What the controls ask for before the band: target / volatility, capped, then the drawdown's share of it."""
    known = state.periods >= grid.least
    quick = quick_volatility(state, periods_a_year=periods_a_year)
    slow = long_run_volatility(state, periods_a_year=periods_a_year)
    target = np.where(grid.target > 0, grid.target, slow)
    scaled = np.minimum(np.exp(grid.power * np.log(target / quick)), grid.cap)
    scaled = np.minimum(scaled, _kelly_exposure(state, grid, quick, slow, periods_a_year))
    return np.where(known, scaled, 1.0) * cushion(state, grid)


def quick_volatility(state: State, *, periods_a_year: float) -> Floats:
    """Volatility a year by the half-life of each setting, around zero."""
    return np.asarray(np.sqrt(np.maximum(state.quick / np.maximum(state.quick_weight, TINY), TINY) * periods_a_year))


def long_run_volatility(state: State, *, periods_a_year: float) -> Floats:
    """Volatility a year over all periods so far, around zero."""
    return np.asarray(np.sqrt(np.maximum(state.squares / np.maximum(state.periods, 1), TINY) * periods_a_year))


def _kelly_exposure(state: State, grid: Grid, quick: Floats, slow: Floats, periods_a_year: float) -> Floats:
    """The largest exposure that the Kelly fraction bears; unbounded where it is not asked."""
    if not grid.kelly.any():
        return np.full(1, np.inf)
    years = state.periods / periods_a_year
    sharpe = state.total / np.maximum(state.periods, 1) * periods_a_year / slow
    return np.where(grid.kelly > 0, kelly_volatility(sharpe, years, grid.kelly) / quick, np.inf)


def cushion(state: State, grid: Grid) -> Floats:
    """Share of the exposure that is kept in a drawdown d with limit L: (L - d) / (L (1 - d)), at least the floor.

    Exposure in proportion to V - (1 - L) max V, as a share of that at the peak. With floor 0 a book at its limit never
    trades again; costs make the neighbourhood of the limit worse (Zhou & Shang 2015). Source: Grossman & Zhou 1993,
    Theorem 1; Cvitanic & Karatzas 1995.
    """
    kept = state.value / state.peak
    return np.where(grid.drawdown_limit > 0, cushion_left(kept, grid.drawdown_limit, grid.floor), 1.0)


def cushion_left(kept: Floats, limit: Floats, floor: Floats) -> Floats:
    """The same of a value that is `kept` of its peak, under a limit that is set."""
    limit = np.where(limit > 0, limit, 1.0)
    return np.clip((limit - (1.0 - kept)) / (limit * np.maximum(kept, 1e-9)), floor, 1.0)


@dataclass(frozen=True, slots=True)
class Managed:
    """Exposure held in every period and what it earned after costs (T x J x S; NaN where the strategy has none)."""

    exposure_TJS: Floats
    net_TJS: Floats
    end: State


def manage(
    return_TS: Floats, cost_TS: Floats, settings: Sequence[Controls], *, periods_a_year: float,
    start: State | None = None,
) -> Managed:  # fmt: skip
    """Every setting on every strategy. `cost_TS` is what a change of exposure by 1 costs.

    A course cut in pieces, the end of one given as the start of the next, has the bits of the course in one.
    Raises BadInput where shapes do not meet.
    """
    if return_TS.ndim != 2 or cost_TS.shape != return_TS.shape or not settings:
        raise BadInput(f"returns {return_TS.shape}, costs {cost_TS.shape}, {len(settings)} settings; expected T x S")
    grid, (periods, strategies) = Grid.of(settings), return_TS.shape
    state = State.fresh(len(settings), strategies) if start is None else start
    exposure_TJS = np.empty((periods, len(settings), strategies))
    net_TJS = np.empty_like(exposure_TJS)
    for period in range(periods):
        held = decided(state, grid, periods_a_year=periods_a_year)
        paid = np.nan_to_num(cost_TS[period]) * np.abs(held - state.held)
        exposure_TJS[period], net_TJS[period] = held, held * return_TS[period] - paid
        state = seen(_holding(state, held), grid, return_TS[period], net_TJS[period])
    return Managed(exposure_TJS, net_TJS, state)


def _holding(state: State, held: Floats) -> State:
    return State(held, *(getattr(state, field.name) for field in fields(State)[1:]))
