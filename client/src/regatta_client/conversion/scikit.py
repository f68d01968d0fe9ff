"""scikit-learn: linear models as skops files, histogram boosting by our own writer, all else by skl2onnx."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from regatta_client.conversion.made import Made
from regatta_client.conversion.packages import need
from regatta_client.conversion.trees import ML_OPSET, OPSET, Branch, Link, Tree, up_to, write
from tournament.errors import BadModel, Fault
from tournament.hosted.formats import Format
from tournament.hosted.linear import REGRESSORS, SCALERS

BOOSTED = "HistGradientBoostingRegressor"
LINKS = {"IdentityLink": Link.NONE, "LogLink": Link.EXPONENTIAL}


def from_sklearn(model: Any) -> Made:
    """A fitted estimator or pipeline. Raises BadModel for one that was not fitted or cannot be converted."""
    width = getattr(model, "n_features_in_", None)
    if width is None:
        raise BadModel(Fault("not_fitted", "the model was not fitted", "call fit before you convert it"))
    if hasattr(model, "classes_"):
        message = f"{type(model).__name__} is a classifier"
        raise BadModel(Fault("classifier", message, "train a regressor: a rank needs one number a row"))
    names = tuple(map(str, getattr(model, "feature_names_in_", ())))

    def native(rows: Any) -> Any:
        frame = need("pandas", package="pandas", why="predicting by name").DataFrame
        return model.predict(frame(rows, columns=list(names)) if names else rows)

    if _is_linear(model):
        dumps = need("skops.io", package="skops", why="writing linear models of scikit-learn").dumps
        return Made(dumps(model), Format.SKOPS, width, native, ())
    data = _boosted(model, width) if type(model).__name__ == BOOSTED else _by_skl2onnx(model, width)
    return Made(data, Format.ONNX, width, native, names)


def _is_linear(model: Any) -> bool:
    """Whether it is what the platform reads of skops files: a linear model, alone or after scalers."""
    steps = [type(step).__name__ for _, step in getattr(model, "steps", [("", model)])]
    return steps[-1] in REGRESSORS and set(steps[:-1]) <= set(SCALERS)


def _by_skl2onnx(model: Any, width: int) -> bytes:
    to_onnx = need("skl2onnx", package="skl2onnx", why="converting this model of scikit-learn").to_onnx
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = to_onnx(model, np.zeros((1, width), np.float32), target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET})
        except Exception as error:  # noqa: BLE001 - its errors have no common class; the model is the reason
            said = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise BadModel(Fault("skl2onnx", f"skl2onnx cannot convert {type(model).__name__}: {said}")) from None
    return bytes(made.SerializeToString())


def _boosted(model: Any, width: int) -> bytes:
    """Histogram boosting: its thresholds are doubles, lowered here so that each float32 goes the same way."""
    trees = [_tree(tree) for iteration in model._predictors for tree in iteration]
    link = LINKS.get(type(model._loss.link).__name__)
    if link is None or any(len(iteration) != 1 for iteration in model._predictors):
        raise BadModel(Fault("loss", f"{BOOSTED} with loss {model.loss!r} cannot be converted", "use squared_error"))
    return write(
        trees, base=float(np.ravel(model._baseline_prediction)[0]), width=width, branch=Branch.UP_TO, link=link
    )


def _tree(found: Any) -> Tree:
    nodes = found.nodes
    if nodes["is_categorical"].any():
        raise BadModel(Fault("categories", f"{BOOSTED} splits by category", "train it on plain numbers"))
    return Tree(
        nodes["is_leaf"].astype(bool), nodes["feature_idx"].astype(int), up_to(nodes["num_threshold"]),
        nodes["left"].astype(int), nodes["right"].astype(int), nodes["missing_go_to_left"].astype(bool), nodes["value"],
    )  # fmt: skip
