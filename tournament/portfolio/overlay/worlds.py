"""Simulated strategies whose risk and pay-off move: tasks on which the prior is learned besides the real ones.

Shape suffixes: T periods, W worlds. What a world may be is stated here and was not fitted to any price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.overlay.settings import Floats

DAYS = 252
TAIL_FREEDOM = 5.0


@dataclass(frozen=True, slots=True)
class WorldRanges:
    """Ranges from which every world's constants are drawn evenly; Sharpe ratios from a normal distribution.

    `payoff_power`: the expected return grows with volatility to this power: 1 a constant Sharpe ratio, at which
    targeting volatility gains nothing, 0 a constant return, at which it gains, 2 a premium for variance, at which it
    loses. `turn_per_year`: how often a regime of good or bad years changes, which stops need (Kaminski & Lo 2014).
    """

    sharpe_mean: float = 0.4
    sharpe_spread: float = 0.4
    volatility: tuple[float, float] = (0.06, 0.16)
    half_life: tuple[float, float] = (10.0, 120.0)
    log_volatility_spread: tuple[float, float] = (0.15, 0.55)
    leverage: tuple[float, float] = (-0.6, 0.1)
    payoff_power: tuple[float, float] = (0.0, 2.0)
    turn_per_year: tuple[float, float] = (0.2, 2.0)
    turn_size: tuple[float, float] = (0.0, 0.8)
    cost: tuple[float, float] = (0.0002, 0.0012)


@dataclass(frozen=True, slots=True)
class SimulatedStrategies:
    """Daily returns at exposure 1 and the cost of changing it by 1 (T x W each)."""

    return_TW: Floats
    cost_TW: Floats


def simulate_strategies(
    rng: np.random.Generator, *, worlds: int, periods: int, ranges: WorldRanges | None = None
) -> SimulatedStrategies:
    """Stochastic volatility with heavy tails, leverage effect and turning pay-offs. Source: Taylor 1986, chapter 3."""
    ranges = WorldRanges() if ranges is None else ranges
    half_W, spread_W, leverage_W = (
        rng.uniform(*low_high, worlds) for low_high in (ranges.half_life, ranges.log_volatility_spread, ranges.leverage)
    )
    level_W, power_W = rng.uniform(*ranges.volatility, worlds), rng.uniform(*ranges.payoff_power, worlds)
    sharpe_W = rng.normal(ranges.sharpe_mean, ranges.sharpe_spread, worlds)
    news_TW = rng.standard_t(TAIL_FREEDOM, (periods, worlds)) / np.sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2.0))
    own_TW = rng.standard_normal((periods, worlds))
    moved_TW = leverage_W * news_TW + np.sqrt(1.0 - leverage_W**2) * own_TW
    log_TW = _autoregression(moved_TW, 0.5 ** (1.0 / half_W), spread_W)
    relative_TW = np.exp(log_TW - spread_W**2)
    sharpe_TW = sharpe_W + _turns(rng, periods, worlds, ranges)
    day = level_W / np.sqrt(DAYS)
    return_TW = day * (sharpe_TW / np.sqrt(DAYS) * relative_TW**power_W + relative_TW * news_TW)
    cost_TW = np.broadcast_to(rng.uniform(*ranges.cost, worlds), return_TW.shape)
    return SimulatedStrategies(np.maximum(return_TW, -0.5), np.array(cost_TW))


def _autoregression(news_TW: Floats, keep_W: Floats, spread_W: Floats) -> Floats:
    """First-order autoregression of these standard deviations; a day's news moves the next day's volatility."""
    out_TW = np.empty_like(news_TW)
    log_W = np.zeros(news_TW.shape[1])
    for period, news_W in enumerate(news_TW):
        out_TW[period] = log_W
        log_W = keep_W * log_W + np.sqrt(1.0 - keep_W**2) * spread_W * news_W
    return out_TW


def _turns(rng: np.random.Generator, periods: int, worlds: int, ranges: WorldRanges) -> Floats:
    """Good and bad stretches of the Sharpe ratio: plus and minus a size, turning at random."""
    rate_W, size_W = rng.uniform(*ranges.turn_per_year, worlds), rng.uniform(*ranges.turn_size, worlds)
    turns_TW = rng.random((periods, worlds)) < rate_W / DAYS
    sign_W = rng.choice([-1.0, 1.0], worlds)
    return np.asarray(size_W * sign_W * (-1.0) ** np.cumsum(turns_TW, axis=0))
