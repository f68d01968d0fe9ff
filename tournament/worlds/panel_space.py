"""Simulated tournaments whose truth is known: predictions and targets as an archive, the truth beside it.

Shape suffixes: R rounds, N assets, M models, K regimes, C context columns. With z the target's latent normal and
T(z) the tournament's powered target, a prediction is p = (mu / a) z + e, a = E[z T(z)], so that E[p T] = mu exactly;
errors e share group factors and persist over rounds, so that scores of rounds whose targets overlap move together.
Within a round cov(s_i, s_j) = (cov(e_i, e_j) + mu_i mu_j (b / a^2 - 1)) / N with b = E[z^2 T(z)^2].
Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gamma, norm

from tournament.archive import About, ArchivedRound, write_archive
from tournament.errors import BadConfig, Fault
from tournament.markets.targets import bin_target
from tournament.scoring.ranks import Floats, power_15

CONTEXT = ("volatility", "dispersion", "average_correlation", "momentum_return", "irrelevant")
START = np.datetime64("2015-01-02T18:00:00")
WEEK = np.timedelta64(7, "D")
WINDOW = np.timedelta64(44, "h")
SMOOTHING = 4
EXPONENTIATED = CONTEXT[:3]
STAY_SHAPE = 4.0
LIMITS = {
    "seed": (0, 2**63), "assets": (20, 100_000), "models": (2, 10_000), "rounds": (10, 10_000), "regimes": (1, 100),
    "overlap": (1, 100), "groups": (1, 1_000), "skill": (0, 0.3), "separation": (0, 0.3), "mean_stay": (2, 10_000),
    "context_noise": (0, 100), "joiners": (0, 1), "persistence": (0, 1),
}  # fmt: skip
"""Least and largest value of each field."""


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """Size and nature of a simulated tournament; rounds are weekly."""

    seed: int = 0
    assets: int = 500
    models: int = 40
    rounds: int = 300
    regimes: int = 4
    overlap: int = 4
    groups: int = 6
    skill: float = 0.01
    separation: float = 0.03
    mean_stay: int = 20
    context_noise: float = 0.7
    joiners: float = 0.15
    persistence: float = 0.8

    def __post_init__(self) -> None:
        """Refuse impossible sizes. Raises BadConfig with every fault."""
        faults = [
            Fault("out_of_range", f"{name} is {getattr(self, name)}", f"give {lowest:g} to {highest:g}")
            for name, (lowest, highest) in LIMITS.items()
            if not lowest <= getattr(self, name) <= highest
        ]
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class Truth:
    """What no selector may see."""

    regime_R: NDArray[np.int64]
    expected_KM: Floats
    error_KMM: Floats
    level_KC: Floats
    """What each column of the context is about in each regime, before noise, smoothing and exponentials."""


@dataclass(frozen=True, slots=True)
class World:
    """A drawn world: its truth, and what its rounds are made from."""

    config: WorldConfig
    truth: Truth
    models: tuple[str, ...]
    loading_MG: Floats
    context_RC: Floats
    joins_M: NDArray[np.int64]
    stake_M: Floats

    def rounds(self) -> Iterator[ArchivedRound]:
        """Every round, one panel at a time; targets of neighbours overlap."""
        config = self.config
        rng = np.random.default_rng((config.seed, 1))
        ids = tuple(f"a{number:05d}" for number in range(config.assets))
        weekly = [rng.standard_normal(config.assets) for _ in range(config.overlap)]
        errors_NM = self._errors(rng)
        for row in range(config.rounds):
            latent_N = np.sum(weekly, axis=0) / np.sqrt(config.overlap)
            target_N = bin_target(latent_N[None])[0]
            weekly = [*weekly[1:], rng.standard_normal(config.assets)]
            here = np.flatnonzero(self.joins_M <= row)
            predictions_NM = self._predict(latent_N, errors_NM, int(self.truth.regime_R[row]))[:, here]
            kept = config.persistence
            errors_NM = kept * errors_NM + np.sqrt(1.0 - kept**2) * self._errors(rng)
            opens_at = START + row * WEEK
            names = tuple(self.models[place] for place in here)
            yield ArchivedRound(
                row + 1, opens_at, opens_at + WINDOW, opens_at + config.overlap * WEEK + np.timedelta64(3, "D"), ids,
                names, predictions_NM, target_N, self.context_RC[row], opens_at,
                dict(zip(names, self.stake_M[here].tolist(), strict=True)),
            )  # fmt: skip

    def _errors(self, rng: np.random.Generator) -> Floats:
        """Errors of variance one that share group factors (N x M)."""
        (models, groups), assets = self.loading_MG.shape, self.config.assets
        own_M = np.sqrt(1.0 - (self.loading_MG**2).sum(axis=1))
        shared_NM = rng.standard_normal((assets, groups)) @ self.loading_MG.T
        return np.asarray(shared_NM + rng.standard_normal((assets, models)) * own_M)

    def _predict(self, latent_N: Floats, errors_NM: Floats, regime: int) -> NDArray[np.float32]:
        """Predictions as ranks strictly between 0 and 1 (N x M)."""
        signal_M = self.truth.expected_KM[regime] / _attenuation()[0]
        raw_NM = latent_N[:, None] * signal_M + errors_NM * np.sqrt(1.0 - signal_M**2)
        order_NM = raw_NM.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
        return np.asarray((order_NM + 0.5) / len(latent_N), dtype=np.float32)


def draw(config: WorldConfig) -> World:
    """Draw a world; the same config gives the same world."""
    rng = np.random.default_rng(config.seed)
    regime_R = _stays(rng, config)
    group_M = rng.integers(config.groups, size=config.models)
    loading_MG = np.zeros((config.models, config.groups))
    loading_MG[np.arange(config.models), group_M] = rng.uniform(0.4, 0.9, config.models)
    expected_KM = _expected(rng, config, group_M)
    late = rng.random(config.models) < config.joiners
    joins_M = np.where(late, rng.integers(1, max(2, config.rounds // 2), config.models), 0)
    joins_M[:2] = 0  # a round without any model would be no round
    stake_M = np.exp(rng.normal(4.0, 1.0, config.models))
    context_RC, level_KC = _contexts(rng, regime_R, config)
    truth = Truth(regime_R, expected_KM, _error_covariance(expected_KM, loading_MG, config.assets), level_KC)
    names = tuple(f"model_{number:03d}" for number in range(config.models))
    return World(config, truth, names, loading_MG, context_RC, joins_M, stake_M)


def write_world(world: World, folder: Path | str) -> None:
    """The archive, and `truth/` beside it: what no selector may see, and all that an informed filter needs.

    regimes.parquet, expected_corr.parquet, error_covariance.parquet; and the law: context_levels.parquet (what each
    column is about in each regime), stays.parquet (how long a stay lasts), jumps.parquet (where to), law.parquet.
    """
    folder, config = Path(folder), world.config
    about = About(f"simulated world {config.seed}", 5 * config.overlap, "weekly", "target", str(START))
    write_archive(folder, about, world.rounds(), context_names=CONTEXT)
    (folder / "truth").mkdir()
    for name, table in _truth_tables(world).items():
        table.to_parquet(folder / "truth" / f"{name}.parquet", index=False)


def _truth_tables(world: World) -> dict[str, pd.DataFrame]:
    config, truth = world.config, world.truth
    stay_D = stay_probabilities(config)
    regimes = range(config.regimes)
    levels = _long("level", truth.level_KC, {"regime": regimes, "column": CONTEXT})
    jump_KK = (1.0 - np.eye(config.regimes)) / max(1, config.regimes - 1)
    by_model = {"regime": regimes, "model": world.models}
    return {
        "regimes": pd.DataFrame({"round": np.arange(1, config.rounds + 1), "regime": truth.regime_R}),
        "expected_corr": _long("expected_corr", truth.expected_KM, by_model),
        "error_covariance": _long("covariance", truth.error_KMM, {**by_model, "other": world.models}),
        "context_levels": levels.assign(exponentiated=levels["column"].isin(EXPONENTIATED)),
        "stays": pd.DataFrame({"stay": np.arange(1, len(stay_D) + 1), "probability": stay_D}),
        "jumps": _long("probability", jump_KK, {"regime": regimes, "next": regimes}),
        "law": pd.DataFrame(
            {
                "context_smoothing": [SMOOTHING],
                "context_noise": [_context_deviation(config)],
                "score_overlap": [config.overlap],
                "score_persistence": [config.persistence],
            }
        ),
    }


def _long(name: str, values: Floats, keys: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    """An array as a long table, one row a cell."""
    grid = pd.MultiIndex.from_product(list(keys.values()), names=list(keys))
    return pd.DataFrame({name: values.ravel()}, index=grid).reset_index()


def stay_probabilities(config: WorldConfig) -> Floats:
    """P(a stay lasts 1, 2, ... rounds) of rounded gamma stays; what is beyond the last is in the last."""
    law = gamma(STAY_SHAPE, scale=config.mean_stay / STAY_SHAPE)
    longest = int(min(config.rounds, np.ceil(law.ppf(1.0 - 1e-9))))
    below_D = law.cdf(np.arange(1, longest + 1) + 0.5)
    below_D[-1] = 1.0
    return np.diff(below_D, prepend=0.0)


def _stays(rng: np.random.Generator, config: WorldConfig) -> NDArray[np.int64]:
    """Regime of each round: gamma stays, then a jump to any other."""
    regimes, current = np.empty(0, dtype=np.int64), int(rng.integers(config.regimes))
    while len(regimes) < config.rounds:
        stay = max(1, round(rng.gamma(STAY_SHAPE, config.mean_stay / STAY_SHAPE)))
        regimes = np.append(regimes, np.full(stay, current))
        if config.regimes > 1:
            current = (current + 1 + int(rng.integers(config.regimes - 1))) % config.regimes
    return regimes[: config.rounds]


def _expected(rng: np.random.Generator, config: WorldConfig, group_M: NDArray[np.int64]) -> Floats:
    """Expected score of each model in each regime: own skill, and what its group gains or loses in that regime."""
    skill_M = rng.normal(config.skill, config.skill, config.models)
    by_group_KG = rng.normal(0.0, config.separation, (config.regimes, config.groups))
    own_KM = rng.normal(0.0, config.separation / 3, (config.regimes, config.models))
    turns = config.regimes > 1
    return np.clip(skill_M + (by_group_KG[:, group_M] + own_KM if turns else 0.0) + np.zeros_like(own_KM), -0.3, 0.3)


def _contexts(rng: np.random.Generator, regime_R: NDArray[np.int64], config: WorldConfig) -> tuple[Floats, Floats]:
    """What is seen of the regime (R x C): its level of each column (K x C) with noise, smoothed over a month."""
    level_KC = rng.normal(0.0, 1.0, (config.regimes, len(CONTEXT)))
    level_KC[:, -1] = 0.0
    noisy_RC = level_KC[regime_R] + rng.normal(0.0, _context_deviation(config), (config.rounds, len(CONTEXT)))
    smooth_RC = pd.DataFrame(noisy_RC).rolling(SMOOTHING, min_periods=1).mean().to_numpy(copy=True)
    smooth_RC[:, : len(EXPONENTIATED)] = np.exp(0.5 * smooth_RC[:, : len(EXPONENTIATED)])
    return np.asarray(smooth_RC), level_KC


def _context_deviation(config: WorldConfig) -> float:
    return 2.0 * config.context_noise


@lru_cache(maxsize=1)
def _attenuation() -> tuple[float, float]:
    """a = E[z T(z)] and b = E[z^2 T(z)^2] of the standardised, powered five-bin target."""
    z = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    powered = power_15(bin_target(z[None])[0] - 0.5)
    powered = powered / powered.std()
    return float((z * powered).mean()), float((z**2 * powered**2).mean())


def _error_covariance(expected_KM: Floats, loading_MG: Floats, assets: int) -> Floats:
    """Covariance of the scores about their expectation, by regime (K x M x M)."""
    a, b = _attenuation()
    shared_MM = loading_MG @ loading_MG.T
    np.fill_diagonal(shared_MM, 1.0)
    own_KM = np.sqrt(1.0 - (expected_KM / a) ** 2)
    product_KMM = expected_KM[:, :, None] * expected_KM[:, None, :]
    return (shared_MM * own_KM[:, :, None] * own_KM[:, None, :] + product_KMM * (b / a**2 - 1.0)) / assets
