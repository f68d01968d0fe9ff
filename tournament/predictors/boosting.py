"""LightGBM over the features: trained anew every so often, never adapted between."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput, Fault
from tournament.predictors.eras import Eras, Floats
from tournament.rules import Rules
from tournament.selectors.protocol import State

OPTIONS = {
    "objective": "regression", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 100, "lambda_l2": 5.0,
    "feature_fraction": 0.3, "bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 7, "min_data_in_bin": 1,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbose": -1,
}  # fmt: skip
LEAST_ROWS = 500


@dataclass(frozen=True)
class BoostedPredictor:
    """Small trees on the newest rows, by the mean squared error of the target."""

    trees: int = 80
    rows: int = 60_000
    support: int = 0

    @property
    def name(self) -> str:
        """The family."""
        return "lightgbm"

    def train(self, eras: Eras, *, seed: int) -> State:
        """Grow trees on the newest rows whose targets are known. Raises BadInput when they are too few."""
        features, target = (values[-self.rows :] for values in eras.rows())
        if len(target) < LEAST_ROWS:
            found = f"{len(target)} rows have a target"
            raise BadInput(Fault("few_rows", found, f"give eras with at least {LEAST_ROWS} such rows"))
        data = lightgbm.Dataset(features.astype(np.float32), target - target.mean())
        grown = lightgbm.train(OPTIONS | {"seed": seed}, data, self.trees)
        text = np.frombuffer(grown.model_to_string().encode(), dtype=np.uint8)
        return State(self.name, {"trees": text}, {"trees": self.trees, "rows": len(target), "seed": seed})

    def adapt(self, state: State, newest: Eras) -> State:
        """Trees stay as they are."""
        return state

    def predict(self, state: State, features_NF: NDArray[np.int8]) -> Floats:
        """The trees' sum for each row (N). Raises BadInput when the features are not those learned from."""
        if "trees" not in state.arrays:
            raise BadInput(Fault("state", f"this state of family {state.family} holds no trees", "train anew"))
        trees = lightgbm.Booster(model_str=state.arrays["trees"].tobytes().decode())
        if trees.num_feature() != features_NF.shape[1]:
            found = f"the trees know {trees.num_feature()} features, not {features_NF.shape[1]}"
            raise BadInput(Fault("state", found, "train anew on these features"))
        return np.asarray(trees.predict(features_NF.astype(np.float32), num_threads=1), dtype=float)


def build(family: str, rules: Rules) -> BoostedPredictor:
    """The predictor of family lightgbm; it knows nothing of overlap, as it has nothing to check on."""
    return BoostedPredictor()
