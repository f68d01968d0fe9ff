"""A market whose regimes are known: what pays, how wild and how alike assets are, all turn with the regime.

Shape suffixes: W weeks, D days (five a week), N assets, K regimes. Characteristics are read from the simulated prices
themselves, so features computed on the prices can find them; their pay-offs change with a semi-Markov regime, which
also sets the market's drift, volatility and tails, so that context tells the regime, late and with noise.
Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadConfig, Fault
from tournament.markets.panel import Floats, PricePanel

DAYS = 5
BASIS_POINT = 1e-4
REGIMES = ("Steady trend", "Rotation", "Stress", "Recovery")
CHARACTERISTICS = ("momentum", "reversal", "value", "low_volatility")
PAYOFFS_KC = np.array([[6.0, -1.0, -1.0, 0.0], [-4.0, 3.0, 6.0, 0.0], [-1.0, -1.0, -4.0, 9.0], [-6.0, 2.0, 2.0, -7.0]])
"""Basis points a day and unit of characteristic, by regime (rows) and characteristic (columns)."""
MARKET_DRIFT_K = np.array([6.0, 0.0, -16.0, 13.0]) * BASIS_POINT
MARKET_VOLATILITY_K = np.array([0.005, 0.008, 0.021, 0.013])
OWN_VOLATILITY_K = np.array([0.85, 1.2, 1.2, 1.05])
TRANSITIONS_KK = np.array([[0, 0.6, 0.3, 0.1], [0.6, 0, 0.3, 0.1], [0.05, 0.15, 0, 0.8], [0.7, 0.25, 0.05, 0]])
TAIL_FREEDOM = 4.0
WARM_UP_WEEKS = 160
"""Weeks simulated before the first that counts: the longest characteristic looks back three years."""


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """How large the market is and how long each regime stays (weeks)."""

    seed: int = 1
    assets: int = 200
    weeks: int = 400
    sectors: int = 8
    shortest_stay: int = 10
    mean_stay: int = 24

    def __post_init__(self) -> None:
        """Refuse impossible sizes."""
        if self.assets < 20 or self.weeks < 30 or not 1 <= self.shortest_stay <= self.mean_stay:
            raise BadConfig(Fault("simulation", f"{self} is too small", "at least 20 assets and 30 weeks"))


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """Prices and the truth behind them."""

    panel: PricePanel
    regime_D: NDArray[np.int64]
    regime_names: tuple[str, ...]
    payoffs_KC: Floats

    def regime_at(self, date: np.datetime64) -> int:
        """The true regime on a date."""
        return int(self.regime_D[np.searchsorted(self.panel.dates_D, date)])


@dataclass(slots=True)
class _State:
    """What a simulation carries from week to week."""

    log_DN: Floats
    volume_DN: Floats
    beta_N: Floats
    volatility_N: Floats
    size_N: Floats
    sector_N: NDArray[np.int64]


def simulate(config: SimulationConfig) -> SimulatedMarket:
    """Simulate daily prices; the same config gives the same bytes."""
    rng = np.random.default_rng(config.seed)
    weeks = WARM_UP_WEEKS + config.weeks
    regime_W = _stays(rng, weeks, config)
    state = _begin(rng, weeks * DAYS + 1, config)
    for week in range(weeks):
        _sail_week(rng, state, week * DAYS + 1, int(regime_W[week]))
    regime_D = np.concatenate([regime_W[:1], np.repeat(regime_W, DAYS)])
    return SimulatedMarket(_panel(rng, state), regime_D, REGIMES, PAYOFFS_KC)


def _stays(rng: np.random.Generator, weeks: int, config: SimulationConfig) -> NDArray[np.int64]:
    """Regime of each week: a stay of at least the shortest, then a jump by the transition table."""
    regimes, current = np.empty(0, dtype=np.int64), int(rng.integers(len(REGIMES)))
    while len(regimes) < weeks:
        extra = rng.gamma(2.0, (config.mean_stay - config.shortest_stay) / 2.0)
        regimes = np.append(regimes, np.full(config.shortest_stay + int(extra), current))
        current = int(rng.choice(len(REGIMES), p=TRANSITIONS_KK[current]))
    return regimes[:weeks]


def _begin(rng: np.random.Generator, days: int, config: SimulationConfig) -> _State:
    assets = config.assets
    return _State(
        log_DN=np.full((days, assets), np.nan),
        volume_DN=np.full((days, assets), np.nan),
        beta_N=rng.uniform(0.6, 1.4, assets),
        volatility_N=np.exp(rng.normal(np.log(0.014), 0.3, assets)),
        size_N=rng.normal(17.0, 1.2, assets),
        sector_N=rng.integers(config.sectors, size=assets),
    )


def _sail_week(rng: np.random.Generator, state: _State, day: int, regime: int) -> None:
    """Fill five days of prices from the characteristics known at the week's start."""
    assets = len(state.beta_N)
    if day == 1:
        state.log_DN[0] = rng.normal(3.5, 0.5, assets)
        state.volume_DN[0] = np.exp(state.size_N)
    drift_N = _characteristics(state, day - 1) @ (PAYOFFS_KC[regime] * BASIS_POINT)
    for row in range(day, day + DAYS):
        market = MARKET_DRIFT_K[regime] + MARKET_VOLATILITY_K[regime] * _heavy(rng, 1)[0]
        sector_N = (0.4 * MARKET_VOLATILITY_K[regime] * _heavy(rng, state.sector_N.max() + 1))[state.sector_N]
        own_N = OWN_VOLATILITY_K[regime] * state.volatility_N * _heavy(rng, assets)
        returns_N = np.clip(drift_N + state.beta_N * market + sector_N + own_N, -0.35, 0.35)
        state.log_DN[row] = state.log_DN[row - 1] + returns_N
        surprise = 8.0 * np.abs(own_N) + rng.normal(0, 0.3, assets)
        state.volume_DN[row] = np.exp(state.size_N + surprise)


def _characteristics(state: _State, row: int) -> Floats:
    """Standardised characteristics (N x C) at a row; zero while history is too short."""
    log_DN = state.log_DN

    def past(width: int, skip: int) -> Floats:
        if row - width - skip < 0:
            return np.zeros(log_DN.shape[1])
        return np.asarray(log_DN[row - skip] - log_DN[row - skip - width])

    columns = [past(105, 21), -past(21, 0), -past(252, 252), -np.log(state.volatility_N)]
    return np.stack([_standard(column) for column in columns], axis=1)


def _standard(values_N: Floats) -> Floats:
    spread = float(values_N.std())
    return np.clip((values_N - values_N.mean()) / spread, -2.5, 2.5) if spread > 0 else np.zeros(len(values_N))


def _heavy(rng: np.random.Generator, count: int) -> Floats:
    """Student t draws of variance one."""
    return np.asarray(rng.standard_t(TAIL_FREEDOM, count) / np.sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2.0)))


def _panel(rng: np.random.Generator, state: _State) -> PricePanel:
    """Prices with opens, ranges and volumes on business days."""
    close_DN = np.exp(state.log_DN)
    days, assets = close_DN.shape
    dates_D = np.busday_offset(np.datetime64("2008-01-04", "D"), np.arange(days), roll="forward")
    before_DN = np.vstack([close_DN[:1], close_DN[:-1]])
    open_DN = before_DN * np.exp(0.3 * state.volatility_N * rng.standard_normal((days, assets)))
    reach_DN = np.abs(0.5 * state.volatility_N * rng.standard_normal((2, days, assets)))
    high_DN = np.maximum(open_DN, close_DN) * np.exp(reach_DN[0])
    low_DN = np.minimum(open_DN, close_DN) * np.exp(-reach_DN[1])
    ids = tuple(f"SIM{number:04d}" for number in range(assets))
    sectors = tuple(f"sector {number + 1}" for number in state.sector_N)
    return PricePanel(dates_D, ids, close_DN, open_DN, high_DN, low_DN, state.volume_DN, sectors)
