"""A good model of each format answers in the sandbox what the library that made it answers."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skops.io
import torch
from sklearn import linear_model, preprocessing
from sklearn.pipeline import make_pipeline

from tests.hosting import files, graphs, networks
from tournament.errors import BadModel
from workers.sandbox.runner import Answer, Work, of_rounds, run

NAMES = ("momentum", "reversal", "value", "size", "noise")
FEATURES, TARGET = files.drawn(400)


def answer(data: bytes, names: tuple[str, ...] = NAMES) -> Answer:
    return run(data, of_rounds(FEATURES, names))


def check(data: bytes, expected: np.ndarray, **tolerance: float) -> None:
    np.testing.assert_allclose(answer(data).values, np.ravel(expected), **({"rtol": 1e-6, "atol": 1e-6} | tolerance))


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({}, TARGET),
        ({"objective": "binary"}, TARGET > 0),
        ({"objective": "tweedie"}, np.abs(TARGET)),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, TARGET),
        ({"boosting": "dart"}, TARGET),
        ({"min_data_in_leaf": 10_000}, TARGET),
    ],
    ids=["regression", "binary", "tweedie", "forest", "dart", "leaves alone"],
)
def test_lightgbm(options: dict[str, object], target: np.ndarray) -> None:
    booster = files.booster(FEATURES, target, **options)

    check(booster.model_to_string().encode(), booster.predict(FEATURES))


def test_features_are_found_by_name() -> None:
    frame = pd.DataFrame(FEATURES, columns=list(NAMES))[["noise", "value", "momentum"]]
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(frame, TARGET), 5)

    check(booster.model_to_string().encode(), booster.predict(frame))


def test_features_that_the_tournament_lacks_are_named() -> None:
    frame = pd.DataFrame(FEATURES, columns=["momentum", "moon", "tide", "size", "noise"])
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(frame, TARGET), 5)

    with pytest.raises(BadModel, match=r"2 of 5 features are not the tournament's \(moon, tide\)"):
        answer(booster.model_to_string().encode())


@pytest.mark.parametrize(
    "data", [graphs.GOOD, graphs.network([5, 16, 8, 1]), graphs.forest()], ids=["linear", "network", "forest"]
)
def test_onnx(data: bytes) -> None:
    native = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    check(data, native.run(None, {"x": FEATURES})[0])


@pytest.mark.parametrize("activation", networks.ACTIVATIONS)
def test_mlp(activation: str) -> None:
    network, data = networks.mlp([5, 16, 8, 1], activation)

    check(data, network(torch.tensor(FEATURES)).detach().numpy())


def test_transformer() -> None:
    network, data = networks.transformer(NAMES)

    check(data, network(torch.tensor(FEATURES)).detach().numpy())


@pytest.mark.parametrize(
    "make",
    [
        lambda: linear_model.Ridge(),
        lambda: make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge()),
        lambda: make_pipeline(preprocessing.RobustScaler(), linear_model.Lasso(alpha=0.01)),
        lambda: make_pipeline(
            preprocessing.MinMaxScaler(), preprocessing.MaxAbsScaler(), linear_model.LinearRegression()
        ),
        lambda: linear_model.ElasticNet(alpha=0.1, fit_intercept=False),
        lambda: linear_model.BayesianRidge(),
    ],
    ids=["ridge", "scaled ridge", "lasso", "two scalers", "no intercept", "bayesian"],
)
@pytest.mark.parametrize("is_named", [False, True], ids=["by place", "by name"])
def test_skops(make: Callable[[], object], is_named: bool) -> None:
    rows = pd.DataFrame(FEATURES, columns=list(NAMES)).astype(float) if is_named else FEATURES.astype(float)
    fitted = make().fit(rows, TARGET)  # type: ignore[attr-defined]

    check(skops.io.dumps(fitted), fitted.predict(rows))


def test_eras_are_answered_one_by_one() -> None:
    centred = graphs.data([graphs.node("ReduceMean", "x", "m", axes=[0]), graphs.node("Sub", "x m", "c"),
                           graphs.node("Gemm", "c w b")])  # fmt: skip
    both = run(centred, Work(FEATURES.astype(np.int8), NAMES, (150, 400))).values

    first = run(centred, of_rounds(FEATURES[:150], NAMES)).values

    assert both[:150].tobytes() == first.tobytes()


def test_the_hash_seed_and_the_run_change_nothing() -> None:
    data = graphs.network([5, 32, 1])

    runs = {run(data, of_rounds(FEATURES, NAMES), seed=seed).values.tobytes() for seed in (1, 2, 3)}

    assert len(runs) == 1
