"""Who takes part in the demonstration: 33 models of different kinds, some late, one leaving, one decaying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lightgbm import LGBMRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import BayesianRidge, ElasticNet, Ridge
from sklearn.neighbors import KNeighborsRegressor

from contributors.network import TorchMLP
from contributors.strategies import Decaying, Learned, Noise, Perturbed, Specialist, Strategy, Style


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the roster: who runs it, how it predicts, in which rounds it takes part, and points at stake."""

    model: str
    owner: str
    make: Callable[[], Strategy]
    joins: int = 1
    leaves: int | None = None
    stake: int = 200

    def sails(self, number: int) -> bool:
        """Whether the model submits to round `number`."""
        return self.joins <= number and (self.leaves is None or number < self.leaves)


def boosted(leaves: int, trees: int, seed: int) -> LGBMRegressor:
    """LightGBM, small and strongly regularised, single-threaded and deterministic."""
    return LGBMRegressor(
        n_estimators=trees, learning_rate=0.05, num_leaves=leaves, min_child_samples=100, colsample_bytree=0.3,
        subsample=0.7, subsample_freq=1, reg_lambda=5.0, random_state=seed, n_jobs=1, verbose=-1, deterministic=True,
    )  # fmt: skip


def style(**groups: float) -> Callable[[], Strategy]:
    """A fixed mixture of feature groups."""
    return lambda: Style(dict(groups))


def learned(make: Callable[[], object], **options: object) -> Callable[[], Strategy]:
    """A regressor fitted on the train file."""
    return lambda: Learned(make, **options)  # type: ignore[arg-type]


def specialist(make: Callable[[], object], cluster: int) -> Callable[[], Strategy]:
    """A regressor fitted on one kind of eras."""
    return lambda: Specialist(Learned(make), cluster)  # type: ignore[arg-type]


ROSTER: tuple[Entry, ...] = (
    Entry("kelpie", "amara", style(momentum=1.0), stake=300),
    Entry("northwind", "bjorn", style(reversal=1.0)),
    Entry("stillwater", "chiara", style(volatility=1.0)),
    Entry("driftwood", "chiara", style(value=1.0)),
    Entry("low_tide", "dmitri", style(beta=1.0), stake=100),
    Entry("deep_water", "dmitri", style(liquidity=1.0), stake=60),
    Entry("trade_wind", "esther", style(seasonality=1.0)),
    Entry("crosscurrent", "esther", style(sector=1.0)),
    Entry("groundswell", "farid", style(volume=1.0, reversal=0.5)),
    Entry("steady_helm", "farid", style(momentum=1.0, volatility=1.0)),
    Entry("spinnaker", "greta", learned(lambda: Ridge(alpha=2000.0))),
    Entry("halyard", "greta", learned(lambda: ElasticNet(alpha=2e-4, l1_ratio=0.5))),
    Entry("shoal", "hiro", learned(lambda: KNeighborsRegressor(150, algorithm="brute"), rows=4000), stake=320),
    Entry(
        "mangrove",
        "inga",
        learned(lambda: RandomForestRegressor(40, max_depth=6, max_features=0.3, max_samples=0.4, random_state=1)),
    ),
    Entry("sargasso", "inga", learned(lambda: ExtraTreesRegressor(40, max_depth=7, max_features=0.4, random_state=2))),
    Entry("tidal_lgbm", "jonas", learned(lambda: boosted(15, 120, 3)), stake=240),
    Entry("tidal_rank", "jonas", learned(lambda: boosted(15, 120, 4), target="target_rank"), stake=120),
    Entry("ripple", "kira", learned(lambda: boosted(4, 150, 5)), stake=350),
    Entry("gale_mlp", "liam", learned(lambda: TorchMLP(seed=6)), stake=400),
    Entry("bayes_buoy", "mina", learned(BayesianRidge, target="target_rank")),
    Entry("latent", "mina", learned(lambda: PLSRegression(2))),
    Entry("trend_ridge", "noor", learned(lambda: Ridge(alpha=500.0), groups=("momentum", "range"))),
    Entry("calm_ridge", "noor", learned(lambda: Ridge(alpha=500.0), groups=("volatility", "beta", "skew"))),
    Entry("petrel", "otto", lambda: Style({"reversal": 1.0, "range": 0.5})),
    Entry("petrel_twin", "otto", lambda: Perturbed(Style({"reversal": 1.0, "range": 0.5}), 0.05, 7)),
    Entry("fogbank", "pilar", lambda: Noise(8), stake=40),
    Entry("rusty_anchor", "quinn", lambda: Decaying(Learned(lambda: Ridge(alpha=1000.0)), 60.0, 9), stake=450),
    Entry("fair_weather", "soren", specialist(lambda: Ridge(alpha=1000.0), 0)),
    Entry("cross_sea", "soren", specialist(lambda: Ridge(alpha=1000.0), 1)),
    Entry("storm_jib", "tilda", specialist(lambda: Ridge(alpha=1000.0), 2)),
    Entry("after_storm", "tilda", specialist(lambda: Ridge(alpha=1000.0), 3)),
    Entry("late_breeze", "rosa", learned(lambda: boosted(8, 100, 10)), joins=40),
    Entry("ebb", "rosa", learned(lambda: Ridge(alpha=8000.0), target="target_rank"), leaves=120),
)
"""Group names are those of features.json; a group that a tournament lacks counts nothing."""
