"""Good model files of every format, made by the libraries that people make them with."""

from __future__ import annotations

import io

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regatta import artifacts
from regatta.rounds.models import DatasetFile, Tournament


def booster(features_NF: NDArray[np.floating], target_N: NDArray[np.floating], **options: object) -> lightgbm.Booster:
    """A small LightGBM model; features without names."""
    settings = {"objective": "regression", "num_leaves": 7, "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}
    return lightgbm.train(settings | options, lightgbm.Dataset(features_NF, target_N), 12)


def drawn(rows: int = 300, features: int = 5, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Features in bins 0 to 4 and a target that hangs on two of them."""
    rng = np.random.default_rng(seed)
    features_NF = rng.integers(0, 5, (rows, features)).astype(np.float32)
    return features_NF, features_NF[:, 0] - features_NF[:, 1] + rng.standard_normal(rows)


def trained_on(tournament: Tournament) -> bytes:
    """A LightGBM model of a tournament's own train file, its features under their names."""
    found = DatasetFile.objects.get(dataset__tournament=tournament, name="train.parquet")
    train = pd.read_parquet(io.BytesIO(artifacts.get(found.sha256)))
    names = list(tournament.datasets.get().feature_names)
    train = train[train["target"].notna()]
    data = lightgbm.Dataset(train[names].astype(np.float32), train["target"])
    options = {"num_leaves": 5, "min_data_in_leaf": 20, "num_threads": 1, "verbose": -1}
    return lightgbm.train(options, data, 10).model_to_string().encode()
