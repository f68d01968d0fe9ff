"""Models of the field's libraries become files that the platform takes, and answer as the models themselves do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from regatta_client.conversion import convert
from regatta_client.conversion.loading import load
from tests.hosting import files
from tournament.errors import BadInput, BadModel
from workers.sandbox.runner import of_rounds, run

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = ["momentum", "reversal", "value", "size", "noise"]
ROWS, TARGET = files.drawn()
FRAME = pd.DataFrame(ROWS, columns=NAMES)


def boosted(**options: Any) -> xgboost.XGBRegressor:
    return xgboost.XGBRegressor(n_estimators=8, max_depth=3, n_jobs=1, **options)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.GELU(), torch.nn.Linear(4, 1))


FITTED: dict[str, Callable[[], Any]] = {
    "ridge": lambda: make_pipeline(StandardScaler(), Ridge()).fit(ROWS, TARGET),
    "forest": lambda: RandomForestRegressor(6, max_depth=4, random_state=0).fit(ROWS, TARGET),
    "histogram boosting": lambda: HistGradientBoostingRegressor(max_iter=6).fit(ROWS, TARGET),
    "poisson boosting": lambda: HistGradientBoostingRegressor(max_iter=6, loss="poisson").fit(ROWS, np.abs(TARGET)),
    "perceptron": lambda: MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0).fit(ROWS, TARGET),
    "LightGBM": lambda: lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1).fit(ROWS, TARGET),
    "XGBoost": lambda: boosted().fit(ROWS, TARGET),
    "XGBoost logistic": lambda: boosted(objective="reg:logistic").fit(ROWS, TARGET > 0),
    "XGBoost poisson": lambda: boosted(objective="count:poisson").fit(ROWS, np.abs(TARGET)),
    "XGBoost dart": lambda: boosted(booster="dart", rate_drop=0.5).fit(ROWS, TARGET),
}


@pytest.mark.parametrize("name", FITTED)
def test_a_converted_model_answers_in_the_sandbox_as_it_does_itself(name: str) -> None:
    model = FITTED[name]()

    made = convert(model)

    answer = run(made.data, of_rounds(ROWS, NAMES))
    np.testing.assert_allclose(answer.values, np.ravel(model.predict(ROWS)), rtol=1e-5, atol=1e-5)
    assert made.largest_difference < 1e-5


def test_a_network_of_torch_answers_as_it_does_itself() -> None:
    module = network()

    answer = run(convert(module).data, of_rounds(ROWS, NAMES))

    expected = module(torch.tensor(ROWS)).detach().numpy().ravel()
    np.testing.assert_allclose(answer.values, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("fit", [boosted().fit, RandomForestRegressor(5, max_depth=3).fit], ids=["XGBoost", "forest"])
def test_a_model_trained_on_some_features_by_name_finds_its_own(fit: Callable[..., Any]) -> None:
    own = FRAME[["noise", "momentum"]]
    model = fit(own, TARGET)

    made = convert(model, features=NAMES)

    answer = run(made.data, of_rounds(ROWS, NAMES))
    assert made.by_name
    np.testing.assert_allclose(answer.values, model.predict(own), rtol=1e-5, atol=1e-5)


def test_after_early_stopping_the_best_trees_answer() -> None:
    model = boosted(early_stopping_rounds=2, learning_rate=1.0).set_params(n_estimators=40)
    model.fit(ROWS[:200], TARGET[:200], eval_set=[(ROWS[200:], TARGET[200:])], verbose=False)

    answer = run(convert(model).data, of_rounds(ROWS, NAMES))

    assert model.best_iteration < 39
    np.testing.assert_allclose(answer.values, model.predict(ROWS), rtol=1e-5, atol=1e-5)


def test_a_forest_of_many_nodes_is_taken() -> None:
    model = boosted().set_params(n_estimators=400, max_depth=8).fit(ROWS, TARGET)

    assert len(convert(model).data) > 400_000


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: make_pipeline(StandardScaler(), RandomForestRegressor(5, random_state=0)).fit(ROWS, TARGET),
         "answers otherwise on .* leave scalers before trees out"),
        (lambda: RandomForestClassifier(3).fit(ROWS, TARGET > 0), "RandomForestClassifier is a classifier"),
        (lambda: xgboost.XGBRegressor(booster="gblinear", n_jobs=1).fit(ROWS, TARGET), "has no trees"),
        (lambda: RandomForestRegressor(), "was not fitted"),
        (lambda: boosted().fit(ROWS, np.stack([TARGET, -TARGET], axis=1)), "several"),
    ],
    ids=["scaled forest", "classifier", "linear booster", "not fitted", "two outputs"],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused_in_words(model: Callable[[], Any], words: str) -> None:
    with pytest.raises(BadModel, match=words):
        convert(model())


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "ridge"])
def test_a_model_that_reads_a_target_is_refused(kind: str) -> None:
    fits = {"xgboost": boosted(), "lightgbm": lightgbm.LGBMRegressor(n_estimators=3, verbose=-1), "ridge": Ridge()}
    model = fits[kind].fit(FRAME.assign(target_rank=TARGET), TARGET)

    with pytest.raises(BadModel, match=r"1 feature is not the tournament's \(target_rank\)"):
        convert(model, features=NAMES)


def test_a_stranger_is_refused_with_the_libraries_that_are_known() -> None:
    with pytest.raises(BadInput, match="known are lightgbm, xgboost, sklearn, torch"):
        convert(object())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)

    with pytest.raises(BadInput, match="pip install skl2onnx"):
        convert(FITTED["forest"]())


def test_files_are_read_by_their_endings(tmp_path: Path) -> None:
    model, module = boosted().fit(ROWS, TARGET), network()
    model.save_model(tmp_path / "m.json")
    joblib.dump(model, tmp_path / "m.joblib")
    torch.save(module, tmp_path / "m.pt")

    for name in ("m.json", "m.joblib", "m.pt"):
        assert convert(load(tmp_path / name)).largest_difference < 1e-5
    (tmp_path / "m.h5").touch()
    with pytest.raises(BadInput, match="no ending that is known"):
        load(tmp_path / "m.h5")
    torch.save(module.state_dict(), tmp_path / "w.pt")
    with pytest.raises(BadInput, match="weights without their module"):
        load(tmp_path / "w.pt")
