"""Models of the field's libraries as files that the platform takes, each held against the model it was made of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regatta_client.conversion.made import Made
from regatta_client.conversion.packages import need
from tournament.errors import BadInput, BadModel, Fault, counted
from tournament.hosted.formats import Format
from tournament.hosted.model import HostedModel, answer, read

LIBRARIES = ("lightgbm", "xgboost", "sklearn", "torch")
ROWS, SEED = 512, 0
TOLERANCE, MOST_APART = 1e-4, 0.01
"""A row is apart when it differs by more than this share of the spread; so many may be, which tie at a threshold."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A file that the platform takes, and how near its answers are to the model's own on drawn rows."""

    data: bytes
    format: Format
    about: str
    reads: int
    by_name: bool
    largest_difference: float
    rows_apart: int


def convert(model: Any, *, features: Sequence[str] = (), width: int | None = None) -> Converted:
    """A fitted model of LightGBM, XGBoost, scikit-learn or torch as a file of a format that the platform takes.

    `features`: the tournament's, in the order of features.json; a model that was trained on some of them by name then
    finds its own. Raises BadInput that names a missing package, or BadModel for what cannot be converted.
    """
    made = _choose(model, width)
    hosted = read(made.data)
    largest, apart = _compare(made, hosted)
    if apart > MOST_APART * ROWS:
        message = f"the converted model answers otherwise on {apart} of {ROWS} drawn rows, by up to {largest:.2g}"
        raise BadModel(Fault("differs", message, "leave scalers before trees out: trees need none"))
    if features:
        _refuse_strange([*made.names, *(hosted.names or ())], features)
    is_renamed = bool(features and made.names)
    data = _select(made.data, made.names, features) if is_renamed else made.data
    by_name = is_renamed or bool(hosted.names)
    return Converted(data, made.format, read(data).about, made.width, by_name, largest, apart)


def _choose(model: Any, width: int | None) -> Made:
    """By the library that made the model, or that its class descends from."""
    found = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    library = next((name for name in LIBRARIES if name in found), None)
    if library == "torch":
        from regatta_client.conversion.network import from_torch

        return from_torch(model, width)
    if library == "sklearn":
        from regatta_client.conversion.scikit import from_sklearn

        return from_sklearn(model)
    if library is None:
        message = f"a {type(model).__module__}.{type(model).__name__} is of no library that is known"
        raise BadInput(Fault("unknown_library", message, f"known are {', '.join(LIBRARIES)}"))
    from regatta_client.conversion.boosting import from_lightgbm, from_xgboost

    return from_lightgbm(model) if library == "lightgbm" else from_xgboost(model)


def _compare(made: Made, hosted: HostedModel) -> tuple[float, int]:
    """Largest difference in shares of the spread, and rows apart, on drawn features of the bins 0 to 4."""
    rows = np.random.default_rng(SEED).integers(0, 5, (ROWS, made.width)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        native = np.ravel(made.native(rows)).astype(float)
    if len(native) != ROWS:
        raise BadModel(Fault("outputs", "the model gives several numbers a row", "train one that predicts one number"))
    spread = float(np.ptp(native)) or 1.0
    difference = np.abs(answer(hosted, rows) - native) / spread
    return float(difference.max()), int((difference > TOLERANCE).sum())


def _refuse_strange(names: Sequence[str], features: Sequence[str]) -> None:
    """Refuse a model that reads what a live file does not hold, targets above all. Raises BadModel."""
    missing = [name for name in names if name not in features]
    if missing:
        found = counted(len(missing), "feature is not the tournament's", "features are not the tournament's")
        hint = "train on the features of features.json, under their names"
        raise BadModel(Fault("unknown_feature", found, hint, (missing[0],)))


def _select(data: bytes, names: Sequence[str], features: Sequence[str]) -> bytes:
    """An ONNX file that reads all the tournament's features and picks the model's own."""
    onnx = need("onnx", package="onnx", why="writing ONNX")
    model, make = onnx.load_from_string(data), onnx.helper
    graph, own = model.graph, model.graph.input[0].name
    places = [list(features).index(name) for name in names]
    graph.initializer.append(make.make_tensor("regatta_places", onnx.TensorProto.INT64, [len(places)], places))
    graph.node.insert(0, make.make_node("Gather", ["regatta_features", "regatta_places"], [own], axis=1))
    whole = make.make_tensor_value_info("regatta_features", onnx.TensorProto.FLOAT, ["n", len(features)])
    del graph.input[:]
    graph.input.append(whole)
    if not any(opset.domain in ("", "ai.onnx") for opset in model.opset_import):
        model.opset_import.append(make.make_opsetid("", 17))
    return bytes(model.SerializeToString())
