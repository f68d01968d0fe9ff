"""Models as their libraries save them, read on their owner's machine. Reading a pickle runs what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regatta_client.conversion.packages import need
from regatta_client.rows import read_bytes
from tournament.errors import BadInput, Fault

XGBOOST, PICKLED, TORCH = (".json", ".ubj"), (".pkl", ".pickle", ".joblib"), (".pt", ".pth")


def load(path: Path) -> Any:
    """The model in a file, by its ending. Raises BadInput for another ending, or a file that cannot be read."""
    read_bytes(path)
    readers = dict.fromkeys(XGBOOST, _xgboost) | dict.fromkeys(PICKLED, _pickled) | dict.fromkeys(TORCH, _torch)
    reader = readers.get(path.suffix)
    if reader is None:
        known = "known are .joblib, .pkl and .pickle, .json and .ubj of XGBoost, .pt and .pth of torch"
        raise BadInput(Fault("unknown_ending", f"{path.name} has no ending that is known", known))
    try:
        return reader(path)
    except BadInput:
        raise
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise BadInput(
            Fault("broken_file", f"{path.name} cannot be read: {said}", "save the whole model anew")
        ) from error


def features_of(path: Path) -> tuple[str, ...]:
    """The tournament's features, from features.json. Raises BadInput."""
    try:
        return tuple(map(str, json.loads(read_bytes(path))["features"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            Fault("no_features", f"{path} names no features", "give the tournament's features.json")
        ) from None


def _xgboost(path: Path) -> Any:
    return need("xgboost", package="xgboost", why="reading a model of XGBoost").Booster(model_file=str(path))


def _pickled(path: Path) -> Any:
    return need("joblib", package="joblib", why="reading a pickled model").load(path)


def _torch(path: Path) -> Any:
    torch = need("torch", package="torch", why="reading a torch module")
    found = torch.load(path, map_location="cpu", weights_only=False)
    if isinstance(found, dict):
        hint = "save the module itself: torch.save(module, path)"
        raise BadInput(Fault("weights_alone", f"{path.name} holds weights without their module", hint))
    return found
