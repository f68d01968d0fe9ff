"""FFORMA in our setting: boosted trees map what is known of each model to its expected score, then the allocator.

Source: Montero-Manso et al. 2020, with scores in the place of forecast errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np

from tournament.selectors.allocator import best_blend
from tournament.selectors.baselines import ridge
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.tokens import SCALE, as_history, tokens
from tournament.selectors.weather import Beliefs, beliefs_at_query, beliefs_in_training, fit_weather

MIN_ROUNDS = 40
TREES = 60


@dataclass(frozen=True)
class Fforma:
    """LightGBM over model tokens and contexts."""

    name: str = "fforma"

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Grow trees on every (round, model) whose score is known; its tokens saw only earlier resolutions."""
        history, seed = tasks[-1], budget.seed
        resolved = history.resolved()
        if len(resolved) < MIN_ROUNDS:
            return State(self.name)
        weather = fit_weather(history, seed=seed)
        beliefs = beliefs_in_training(weather, history, history.resolved_rows())
        rows = np.isfinite(resolved.scores_RM)
        options = {"objective": "regression", "learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 200,
                   "lambda_l2": 10.0, "feature_fraction": 0.6,
                   "bagging_fraction": 0.7, "bagging_freq": 1, "seed": seed, "num_threads": 1,
                   "deterministic": True, "verbose": -1}  # fmt: skip
        table = lightgbm.Dataset(_table(resolved, history, beliefs)[rows], resolved.scores_RM[rows] * SCALE)
        text = lightgbm.train(options, table, TREES).model_to_string()
        return State(self.name, {"trees": np.frombuffer(text.encode(), dtype=np.uint8), **weather})

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: contexts of open rounds tell the regime too."""
        return state.adapted(support)

    def weights(self, state: State, query: Query) -> Floats:
        """Expected scores by the trees, through the allocator; ridge until trees are grown."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        trees = lightgbm.Booster(model_str=state.arrays["trees"].tobytes().decode())
        weather = {name: values for name, values in state.arrays.items() if name != "trees"}
        table = _table(as_history(query, support), support, beliefs_at_query(weather, support, query))
        expected = np.asarray(trees.predict(table[0], num_threads=1)) / SCALE
        return best_blend(expected, query.correlations_MM, query.active_M)


def _table(queries: History, support: History, beliefs: Beliefs) -> Floats:
    """Tokens beside contexts for every model of every query (Q x M x columns)."""
    token_QMT = tokens(queries, support, beliefs)
    context = np.broadcast_to(queries.context_RK[:, None], (*token_QMT.shape[:2], queries.context_RK.shape[1]))
    return np.concatenate([token_QMT, context], axis=2)
