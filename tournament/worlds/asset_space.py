"""A score-space world realised as prices and predictions, so that blends can be held as books and pay costs.

Shape suffixes: R rounds, T days, N assets, M models, L themes, K regimes. A theme is a characteristic X of assets that
changes slowly; a day pays an asset volatility x (X b / sqrt(5 H) + noise), b the week's payoff of the themes and H the
weeks of a target, so that a theme's corr with a target of H weeks is b, as in score space. A prediction is A X + E e
with the world's own A and EE' = C - AA'. The regime also sets how wild the market and the assets are.
Source: ours; the law of the scores is that of `score_space`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadConfig, Fault
from tournament.selectors.protocol import Floats
from tournament.worlds.score_space import ScoreWorld

FIRST_DAY = np.datetime64("2000-01-03")
WEEK_DAYS = 5
WARM_UP_DAYS = 130
"""Days before the first round, from which its risk is estimated."""
KEPT_THEMES, KEPT_ERRORS = 0.97, 0.8
"""What a week keeps of the characteristics and of the models' errors."""
TAIL_FREEDOM = 5.0
OWN_VOLATILITY, MARKET_VOLATILITY = 0.015, 0.009
SPREAD_OF_REGIMES = 0.35
"""Standard deviation of the log volatility among regimes."""


@dataclass(frozen=True, slots=True)
class AssetWorld:
    """Closes (T x N), the row at which each round opens (R), and predictions (R x N x M), NaN from who is absent."""

    dates_T: NDArray[np.datetime64]
    close_TN: Floats
    row_R: NDArray[np.int64]
    predictions_RNM: NDArray[np.float32]


def realise(world: ScoreWorld, *, assets: int, seed: int) -> AssetWorld:
    """Prices and predictions of a world; the same world, size and seed give the same bytes. Raises BadConfig."""
    if assets < 20:
        raise BadConfig(Fault("assets", f"{assets} assets", "give at least 20"))
    rng, rounds = np.random.default_rng(seed), len(world.regime_R)
    themes_RNL = _slow(rng, (rounds, assets, world.loading_ML.shape[1]), KEPT_THEMES)
    predictions_RNM = _predictions(rng, world, themes_RNL)
    return_TN = _returns(rng, world, themes_RNL)
    close_TN = 50.0 * np.exp(np.log1p(np.clip(return_TN, -0.5, 1.0)).cumsum(axis=0))
    dates_T = np.busday_offset(FIRST_DAY, np.arange(len(close_TN)), roll="forward")
    row_R = WARM_UP_DAYS - 1 + WEEK_DAYS * np.arange(rounds)
    return AssetWorld(dates_T, close_TN, row_R, predictions_RNM)


def _slow(rng: np.random.Generator, shape: tuple[int, ...], kept: float) -> Floats:
    """First-order autoregressions of variance one along the first axis."""
    out = rng.standard_normal(shape)
    for week in range(1, len(out)):
        out[week] = kept * out[week - 1] + np.sqrt(1.0 - kept**2) * out[week]
    return out


def _predictions(rng: np.random.Generator, world: ScoreWorld, themes_RNL: Floats) -> NDArray[np.float32]:
    """A X + E e of every round, the signal shrunk as skill decays; NaN where a model did not submit."""
    rounds, assets, _ = themes_RNL.shape
    values, vectors = np.linalg.eigh(world.correlation_MM - world.loading_ML @ world.loading_ML.T)
    root_MM = vectors * np.sqrt(np.maximum(values, 0.0))
    errors_RNM = _slow(rng, (rounds, assets, len(root_MM)), KEPT_ERRORS) @ root_MM.T
    raw_RNM = world.skill_RM[:, None, :] * (themes_RNL @ world.loading_ML.T) + errors_RNM
    return np.asarray(np.where(world.active_RM[:, None, :], raw_RNM, np.nan), dtype=np.float32)


def _returns(rng: np.random.Generator, world: ScoreWorld, themes_RNL: Floats) -> Floats:
    """Daily returns (T x N): a warm-up that pays nothing, then a week after every round."""
    spec, (rounds, assets, themes) = world.spec, themes_RNL.shape
    wild_K = np.exp(SPREAD_OF_REGIMES * rng.standard_normal(len(world.payoff_KL)))
    wild_R = wild_K[world.regime_R]
    paid_RL = world.payoff_KL[world.regime_R] + spec.shock * rng.standard_normal((rounds, themes))
    expected_RN = np.einsum("rnl,rl->rn", themes_RNL, paid_RL) / np.sqrt(WEEK_DAYS * spec.overlap)
    before = WARM_UP_DAYS // WEEK_DAYS
    expected_TN = np.repeat(np.vstack([np.zeros((before, assets)), expected_RN]), WEEK_DAYS, axis=0)
    wild_T = np.repeat(np.concatenate([np.full(before, wild_R[0]), wild_R]), WEEK_DAYS)
    own_N = OWN_VOLATILITY * np.exp(0.3 * rng.standard_normal(assets))
    beta_N = rng.uniform(0.5, 1.5, assets)
    market_T = MARKET_VOLATILITY * wild_T * _heavy(rng, len(wild_T))
    own_TN = own_N * wild_T[:, None] * (expected_TN + _heavy(rng, expected_TN.shape))
    return np.asarray(own_TN + market_T[:, None] * beta_N)


def _heavy(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
    """Student t draws of variance one."""
    return np.asarray(rng.standard_t(TAIL_FREEDOM, shape) / np.sqrt(TAIL_FREEDOM / (TAIL_FREEDOM - 2.0)))
