"""Linear models of scikit-learn in skops files: their numbers are read and evaluated here.

Nothing of the file is imported, built or run: the schema is walked as plain JSON, classes are names on a list, arrays
are .npy files without objects. Source of the format: skops 0.16, `skops.io` (a ZIP of schema.json and .npy files).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault
from tournament.hosted.model import Single
from tournament.hosted.numbers import MAX_NUMBERS, length_of, shown

Floats = NDArray[np.float64]
Step = Callable[[Floats], Floats]
SCHEMA = "schema.json"
MAX_MEMBERS, MAX_SCHEMA, MAX_MEMBER, MAX_STEPS = 400, 4_000_000, 33_000_000, 10
MODULES = ("sklearn.linear_model.", "sklearn.preprocessing.", "sklearn.pipeline")
REGRESSORS = (
    "ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV", "Lasso",
    "LassoCV", "LassoLars", "LassoLarsCV", "LinearRegression", "OrthogonalMatchingPursuit",
    "PassiveAggressiveRegressor", "QuantileRegressor", "Ridge", "RidgeCV", "SGDRegressor", "TheilSenRegressor",
)  # fmt: skip
SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")
HINT = (
    "send linear models of scikit-learn with scalers before them; of all others `regatta convert model.joblib --out "
    "model.onnx` of the client kit makes ONNX"
)


@dataclass(frozen=True)
class Pipeline:
    """Scalers and, at last, a linear model."""

    names: tuple[str, ...]
    width: int
    about: str
    steps: tuple[Step, ...]

    def values(self, features_NW: Single) -> Floats:
        """The pipeline's prediction (N)."""
        x = features_NW.astype(np.float64)
        with np.errstate(all="ignore"):  # what overflows is told by the check of the answer
            for step in self.steps:
                x = step(x)
        return x


def prepare() -> None:
    """Load what reading a packed member needs."""
    _archive(_packed())


def _packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(SCHEMA, "{}")
    return buffer.getvalue()


def read(data: bytes) -> Pipeline:
    """The pipeline in the bytes of a skops file. Raises BadModel."""
    members = _archive(data)
    try:
        schema = json.loads(members[SCHEMA].decode())
    except (KeyError, ValueError, RecursionError):
        raise _bad("schema", f"there is no {SCHEMA} in it that can be read") from None
    file = _File(members)
    estimators = file.estimators(schema)
    names, width = file.features(estimators)
    steps = [_scaler(file, one, width) for one in estimators[:-1]] + [_regressor(file, estimators[-1], width)]
    return Pipeline(names, width, " after ".join(_kind(one) for one in reversed(estimators)), tuple(steps))


def _archive(data: bytes) -> dict[str, bytes]:
    """Members by name; each is unpacked only up to the size that it announces. Raises BadModel."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = packed.infolist()
            if len(members) > MAX_MEMBERS:
                raise _bad("members", f"it has {len(members):,} members, at most {MAX_MEMBERS} are taken")
            for member in members:
                limit = MAX_SCHEMA if member.filename == SCHEMA else MAX_MEMBER
                is_known = member.filename == SCHEMA or member.filename.endswith(".npy")
                if not is_known or "/" in member.filename or member.filename in found:
                    raise _bad("members", f"it has a member {shown(member.filename)} that is not known, or twice")
                if member.file_size > limit or sum(map(len, found.values())) + member.file_size > MAX_MEMBER:
                    raise _bad("members", f"its member {shown(member.filename)} is too large when it is unpacked")
                with packed.open(member) as opened:
                    found[member.filename] = opened.read(limit + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise _bad("archive", f"its archive is broken: {shown(str(error))}") from None
    except Exception as error:  # noqa: BLE001 - zlib and lzma have errors of their own
        raise _bad("archive", f"its archive is broken: {type(error).__name__}") from None
    return found


class _File:
    """Nodes of the schema as plain values. Raises BadModel for a node of another kind than asked for."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self._members = members

    def estimators(self, root: Any) -> list[dict[str, Any]]:
        """The root, or the steps of a pipeline, in order."""
        if _kind(root) != "Pipeline":
            return [root]
        steps = self.attribute(root, "steps")
        found = [_named(step) for step in _list(_content(steps))]
        if not 1 <= len(found) <= MAX_STEPS:
            raise _bad("steps", f"its pipeline has {len(found)} steps; 1 to {MAX_STEPS} are taken")
        return found

    def features(self, estimators: list[dict[str, Any]]) -> tuple[tuple[str, ...], int]:
        """Names of the features, or none, and how many, as the first step was trained."""
        width = self.plain(estimators[0], "n_features_in_")
        if type(width) is not int or not 1 <= width <= MAX_NUMBERS:
            raise _bad("features", "its first step does not say how many features it was trained on")
        attributes = _attributes(estimators[0])
        if "feature_names_in_" not in attributes:
            return (), width
        names = tuple(self._text(one) for one in _list(_content(attributes["feature_names_in_"])))
        if len(names) != width or len(set(names)) != width:
            raise _bad("features", f"it names {len(names)} features, but was trained on {width}")
        return names, width

    def attribute(self, estimator: dict[str, Any], name: str) -> Any:
        """The node of an attribute."""
        attributes = _attributes(estimator)
        if name not in attributes:
            raise _bad("attribute", f"its {_kind(estimator)} has no {name}", "fit it before it is saved")
        return attributes[name]

    def plain(self, estimator: dict[str, Any], name: str) -> Any:
        """An attribute that is a number, a text, true, false or nothing, or an array of one number."""
        node = self.attribute(estimator, name)
        if _loader(node) == "NdArrayNode":
            return float(self.numbers(estimator, name, 1)[0])
        if _loader(node) != "JsonNode" or not isinstance(node.get("content"), str) or len(node["content"]) > 1000:
            raise _bad("attribute", f"{name} of {_kind(estimator)} is no plain value")
        try:
            return json.loads(node["content"])
        except (ValueError, RecursionError):
            raise _bad("attribute", f"{name} of {_kind(estimator)} is no plain value") from None

    def numbers(self, estimator: dict[str, Any], name: str, count: int) -> Floats:
        """An attribute that is an array of `count` finite numbers, or one number where one is asked for."""
        node = self.attribute(estimator, name)
        if _loader(node) == "JsonNode":
            one = self.plain(estimator, name)
            values = np.array([one] if type(one) in (int, float) else [np.nan], dtype=np.float64)
        else:
            values = self._npy(node, name).ravel().astype(np.float64)
        if len(values) != count or not np.isfinite(values).all():
            raise _bad("attribute", f"{name} of {_kind(estimator)} does not hold {count} finite numbers")
        return values

    def _npy(self, node: Any, name: str) -> NDArray[Any]:
        """An array of numbers; its header is read first, since a short one can promise much."""
        file = node.get("file") if isinstance(node, dict) else None
        is_array = _loader(node) == "NdArrayNode" and node.get("type") == "numpy"
        if not is_array or not isinstance(file, str) or file not in self._members:
            raise _bad("array", f"{name} is no array of numbers")
        buffer = io.BytesIO(self._members[file])
        try:
            major, _ = np.lib.format.read_magic(buffer)
            header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[major](buffer)
        except (ValueError, KeyError, EOFError, SyntaxError, RecursionError, MemoryError):
            raise _bad("array", f"{name} has a broken header") from None
        shape, _, kind = header
        size = length_of(list(shape), name) * kind.itemsize
        if kind.kind not in "fiu" or kind.itemsize > 8 or len(self._members[file]) - buffer.tell() != size:
            raise _bad("array", f"{name} is no array of numbers, or not as long as it says")
        return np.frombuffer(self._members[file], dtype=kind, offset=buffer.tell()).reshape(shape)

    @staticmethod
    def _text(node: Any) -> str:
        try:
            found = json.loads(node["content"])
        except (TypeError, KeyError, ValueError, RecursionError):
            found = None
        if not isinstance(found, str) or not 0 < len(found) <= 200:
            raise _bad("features", "a name of a feature is no text")
        return found


def _scaler(file: _File, estimator: dict[str, Any], width: int) -> Step:
    """A scaler as `(x - shift) / scale`."""
    kind = _kind(estimator)
    if kind == "MinMaxScaler":
        factor, offset = (file.numbers(estimator, name, width) for name in ("scale_", "min_"))
        if file.plain(estimator, "clip") is not False:
            raise _bad("clip", "its MinMaxScaler clips", "save it with clip=False")
        return lambda x: x * factor + offset
    shift, scale = np.zeros(width), np.ones(width)
    if kind == "StandardScaler":
        shift = file.numbers(estimator, "mean_", width) if file.plain(estimator, "with_mean") else shift
        scale = file.numbers(estimator, "scale_", width) if file.plain(estimator, "with_std") else scale
    elif kind == "RobustScaler":
        shift = file.numbers(estimator, "center_", width) if file.plain(estimator, "with_centering") else shift
        scale = file.numbers(estimator, "scale_", width) if file.plain(estimator, "with_scaling") else scale
    elif kind == "MaxAbsScaler":
        scale = file.numbers(estimator, "scale_", width)
    else:
        raise _bad("step", f"its step {kind} is none of {', '.join(SCALERS)}")
    if not scale.all():
        raise _bad("scale", f"its {kind} divides by zero")
    return lambda x: (x - shift) / scale


def _regressor(file: _File, estimator: dict[str, Any], width: int) -> Step:
    """A linear model as `x . coefficients + intercept`."""
    kind = _kind(estimator)
    if kind not in REGRESSORS:
        raise _bad("model", f"its model {kind} is no linear one that is known")
    coefficients = file.numbers(estimator, "coef_", width)
    intercept = file.numbers(estimator, "intercept_", 1)[0]
    return lambda x: x @ coefficients + intercept


def _named(step: Any) -> Any:
    """The estimator of a step, which is a pair of a name and an estimator."""
    pair = _list(_content(step))
    if len(pair) != 2:
        raise _bad("steps", "a step of its pipeline is no pair of a name and an estimator")
    return pair[1]


def _kind(node: Any) -> str:
    """The class that an object node names, of the modules that are known. Raises BadModel."""
    if not isinstance(node, dict) or _loader(node) != "ObjectNode":
        raise _bad("schema", "a part of its schema is no estimator")
    name, module = str(node.get("__class__")), str(node.get("__module__"))
    if not module.startswith(MODULES) or not isinstance(node.get("content"), dict):
        raise _bad("class", f"its class {shown(f'{module}.{name}')} is not taken")
    return shown(name)


def _attributes(estimator: Any) -> dict[str, Any]:
    """Nodes of an estimator's attributes."""
    kind = _kind(estimator)
    found = _content(estimator["content"])
    if not isinstance(found, dict):
        raise _bad("schema", f"its {kind} has no attributes")
    return found


def _loader(node: Any) -> Any:
    return node.get("__loader__") if isinstance(node, dict) else None


def _content(node: Any) -> Any:
    if not isinstance(node, dict) or "content" not in node:
        raise _bad("schema", "a part of its schema has no content")
    return node["content"]


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list) or len(found) > MAX_NUMBERS:
        raise _bad("schema", "a part of its schema is no list")
    return found


def _bad(code: str, message: str, hint: str = HINT) -> BadModel:
    return BadModel(Fault(code, f"the skops file cannot be taken: {message}", hint))
