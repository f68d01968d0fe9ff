"""Who sails a course of many years: the demonstration's roster and eighteen more, refitted every year."""

from __future__ import annotations

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.neighbors import KNeighborsRegressor

from contributors.network import TorchMLP
from contributors.roster import ROSTER, Entry, boosted, learned, specialist, style
from contributors.strategies import Noise, Perturbed, Style

NEWEST_ROWS = 8_000
"""About nine months of a large universe, every second week: what a model with a short memory learns from."""

MORE: tuple[Entry, ...] = (
    Entry("contra_tide", "una", style(reversal=1.0, sector=1.0)),
    Entry("calm_value", "una", style(value=1.0, volatility=1.0)),
    Entry("lottery_fade", "viktor", style(skew=1.0)),
    Entry("high_water", "viktor", style(range=1.0)),
    Entry("stiff_ridge", "wanda", learned(lambda: Ridge(alpha=50_000.0)), stake=150),
    Entry("rank_ridge", "wanda", learned(lambda: Ridge(alpha=2_000.0), target="target_rank")),
    Entry("short_memory", "xavier", learned(lambda: Ridge(alpha=1_000.0), rows=NEWEST_ROWS), stake=80),
    Entry("short_gale", "xavier", learned(lambda: boosted(6, 80, 11), rows=NEWEST_ROWS), stake=80),
    Entry("sparse_sail", "yasmin", learned(lambda: Lasso(alpha=1e-3))),
    Entry("slow_ridge", "yasmin", learned(lambda: Ridge(alpha=500.0), groups=("value", "skew", "liquidity"))),
    Entry("momentum_lgbm", "zoe", learned(lambda: boosted(8, 100, 12), groups=("momentum", "range", "seasonality"))),
    Entry("quiet_lgbm", "zoe", learned(lambda: boosted(8, 100, 13), groups=("volatility", "beta", "liquidity"))),
    Entry(
        "deep_current",
        "arne",
        learned(lambda: HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=31, l2_regularization=20.0)),
        joins=60,
    ),
    Entry(
        "squall_mlp", "arne", learned(lambda: TorchMLP(hidden=16, epochs=8, seed=14), target="target_rank"), joins=90
    ),
    Entry("rock_pool", "bela", learned(lambda: KNeighborsRegressor(60, algorithm="brute"), rows=6_000), leaves=260),
    Entry("storm_lgbm", "bela", specialist(lambda: boosted(6, 80, 15), 1), joins=30),
    Entry("kelpie_twin", "cora", lambda: Perturbed(Style({"momentum": 1.0}), 0.1, 16), joins=20),
    Entry("drift_glass", "cora", lambda: Noise(17), stake=60),
)
LONG_COURSE: tuple[Entry, ...] = (*ROSTER, *MORE)
"""Fifty-one models; every strategy fits in seconds on 120,000 rows on one core."""
