"""XGBoost and LightGBM: the one by its own JSON to ONNX, the other as the text that the platform takes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from regatta_client.conversion.made import Made
from regatta_client.conversion.packages import need
from regatta_client.conversion.trees import Branch, Link, Tree, write
from tournament.errors import BadModel, Fault
from tournament.hosted.formats import Format

LINKS = {
    "reg:logistic": Link.LOGISTIC, "binary:logistic": Link.LOGISTIC, "count:poisson": Link.EXPONENTIAL,
    "reg:gamma": Link.EXPONENTIAL, "reg:tweedie": Link.EXPONENTIAL,
}  # fmt: skip
"""Objectives whose prediction is not the sum of leaves itself."""


def from_lightgbm(model: Any) -> Made:
    """A Booster, or a fitted LGBM estimator. Its features are found by their names, if it was trained with names."""
    booster = getattr(model, "booster_", model)
    return Made(booster.model_to_string().encode(), Format.LIGHTGBM, booster.num_feature(), booster.predict, ())


def from_xgboost(model: Any) -> Made:
    """A Booster, or a fitted XGB estimator: after early stopping its best trees. Raises BadModel for other boosters."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    if booster is not model and booster.attr("best_iteration") is not None:
        booster = booster[: int(booster.attr("best_iteration")) + 1]
    learner = json.loads(booster.save_raw("json"))["learner"]
    width, names = booster.num_features(), tuple(booster.feature_names or ())
    data = write(
        _trees(learner["gradient_booster"]), base=_base(learner), width=width, branch=Branch.BELOW,
        link=LINKS.get(learner["objective"]["name"], Link.NONE),
    )  # fmt: skip

    def native(rows: Any) -> Any:
        matrix = need("xgboost", package="xgboost", why="predicting with XGBoost").DMatrix
        return booster.predict(matrix(rows, feature_names=list(names) or None))

    return Made(data, Format.ONNX, width, native, names)


def _base(learner: dict[str, Any]) -> float:
    """What the trees' sum begins from; XGBoost keeps it as a prediction, in brackets since version 3."""
    told = learner["learner_model_param"]["base_score"].strip("[]")
    if "," in told:
        raise BadModel(Fault("outputs", "the XGBoost model has several outputs", "train one that predicts one number"))
    link, score = LINKS.get(learner["objective"]["name"], Link.NONE), float(told)
    if link is Link.LOGISTIC:
        return float(np.log(score / (1.0 - score)))
    return float(np.log(score)) if link is Link.EXPONENTIAL else score


def _trees(booster: dict[str, Any]) -> list[Tree]:
    """The trees of a gbtree or a dart booster."""
    weights = booster.get("weight_drop")
    model = booster.get("gbtree", booster).get("model")
    if model is None or "trees" not in model:
        raise BadModel(Fault("booster", "the XGBoost model has no trees", "train with booster='gbtree' or 'dart'"))
    return [
        _tree(tree, float(weight))
        for tree, weight in zip(model["trees"], weights or [1.0] * len(model["trees"]), strict=True)
    ]


def _tree(found: dict[str, Any], weight: float) -> Tree:
    if found["categories"]:
        raise BadModel(Fault("categories", "the XGBoost model splits by category", "train it on plain numbers"))
    left = np.array(found["left_children"])
    values = np.array(found["split_conditions"], dtype=np.float64)
    return Tree(
        left < 0, np.array(found["split_indices"]), values.astype(np.float32), left,
        np.array(found["right_children"]), np.array(found["default_left"], dtype=bool), weight * values,
    )  # fmt: skip
