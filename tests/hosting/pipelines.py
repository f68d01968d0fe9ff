"""skops files that would be more than linear models, and archives that are not what they announce."""

from __future__ import annotations

import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import skops.io
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PolynomialFeatures, StandardScaler

from tests.hosting import files

FEATURES, TARGET = files.drawn()
Tree = dict[str, Any]


@lru_cache(maxsize=1)
def good() -> bytes:
    """A scaler and a ridge."""
    return bytes(skops.io.dumps(make_pipeline(StandardScaler(), Ridge()).fit(FEATURES, TARGET)))


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(good())) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def archive(content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as packed:
        for name, data in content.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def schema(change: Callable[[Tree], object]) -> bytes:
    """The good file with a changed schema."""
    content = members()
    tree = json.loads(content["schema.json"])
    change(tree)
    return archive(content | {"schema.json": json.dumps(tree).encode()})


def step(tree: Tree, place: int) -> Tree:
    """The node of a pipeline's step."""
    found: Tree = tree["content"]["content"]["steps"]["content"][place]["content"][1]
    return found


def attribute(place: int, name: str, **changes: Any) -> bytes:
    return schema(lambda tree: step(tree, place)["content"]["content"][name].update(changes))


def array(place: int, name: str, data: bytes) -> bytes:
    """The good file with other bytes in an attribute's array."""
    content = members()
    node = step(json.loads(content["schema.json"]), place)["content"]["content"][name]
    return archive(content | {node["file"]: data})


def npy(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def npy_header(header: str) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def dumped(estimator: Any) -> bytes:
    return bytes(skops.io.dumps(estimator.fit(FEATURES, TARGET)))


def twice(content: dict[str, bytes]) -> bytes:
    """An archive with its schema twice."""
    buffer = io.BytesIO(archive(content))
    with zipfile.ZipFile(buffer, "a") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name that is there already
        packed.writestr("schema.json", b"{}")
    return buffer.getvalue()


def cases() -> dict[str, bytes]:
    """Every tampered file by name."""
    content = members()
    deep = b'{"content":' * 50_000 + b"1" + b"}" * 50_000
    return {
        "a forest": dumped(RandomForestRegressor(2, max_depth=2)),
        "a classifier": bytes(skops.io.dumps(LogisticRegression().fit(FEATURES, TARGET > 0))),
        "a function of one's own": dumped(make_pipeline(FunctionTransformer(np.log1p), Ridge())),
        "products of features": dumped(make_pipeline(PolynomialFeatures(2), Ridge())),
        "a scaler that clips": dumped(make_pipeline(MinMaxScaler(clip=True), Ridge())),
        "a scaler alone": dumped(StandardScaler()),
        "a class of the system": schema(lambda tree: step(tree, 1).update(__class__="system", __module__="os")),
        "a class of builtins": schema(lambda tree: step(tree, 1).update(__class__="eval", __module__="builtins")),
        "a class that is a number": schema(lambda tree: step(tree, 1).update(__class__=7)),
        "a class of a known module": schema(lambda tree: step(tree, 1).update(__class__="SGDClassifier")),
        "a loader that calls": schema(lambda tree: step(tree, 1).update(__loader__="MethodNode")),
        "a pipeline in a pipeline": schema(lambda tree: step(tree, 1).update(tree | {"content": {"content": {}}})),
        "steps that are no list": schema(lambda tree: tree["content"]["content"].update(steps={"content": 5})),
        "steps that are none": schema(lambda tree: tree["content"]["content"]["steps"].update(content=[])),
        "a hundred steps": schema(lambda tree: tree["content"]["content"]["steps"]["content"].extend(
            tree["content"]["content"]["steps"]["content"][:1] * 100)),
        "a step of one part": schema(
            lambda tree: tree["content"]["content"]["steps"]["content"][0].update(content=[1])),
        "content that is text": schema(lambda tree: step(tree, 1).update(content="x")),
        "no coefficients": schema(lambda tree: step(tree, 1)["content"]["content"].pop("coef_")),
        "an array of nowhere": attribute(1, "coef_", file="../../etc/passwd"),
        "an array that is a list": attribute(1, "coef_", file=["a"]),
        "an array of objects by name": attribute(1, "coef_", type="json"),
        "a plain value that is code": attribute(0, "n_features_in_", content="__import__('os')"),
        "a thousand million features": attribute(0, "n_features_in_", content="1000000000"),
        "another number of features": attribute(0, "n_features_in_", content="4"),
        "an array of pickles": array(1, "coef_", npy(np.array([print, 1.0], dtype=object))),
        "a pickle for an array": array(1, "coef_", pickle.dumps(print)),
        "an array too short": array(1, "coef_", npy(np.zeros(2))),
        "an array cut short": array(1, "coef_", npy(np.zeros(5))[:-8]),
        "an array that promises much": array(1, "coef_", npy_header(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }")),
        "an array whose header is code": array(1, "coef_", npy_header(
            "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (5,), }")),
        "an array that is not a number": array(1, "coef_", npy(np.full(5, np.nan))),
        "an array of text": array(1, "coef_", npy(np.array(["a"] * 5))),
        "a scale of zero": array(0, "scale_", npy(np.zeros(5))),
        "a scale that is infinite": array(0, "scale_", npy(np.full(5, np.inf))),
        "no schema": archive({"schema.json.npy": b"x", "a.npy": b"x"}),
        "a schema that is no JSON": archive(content | {"schema.json": b"{"}),
        "a schema that is nested too deep": archive(content | {"schema.json": deep}),
        "a schema that is a list": archive(content | {"schema.json": b"[1]"}),
        "a member up the path": archive(content | {"../../evil.npy": b"x"}),
        "a member at a path": archive(content | {"/etc/evil.npy": b"x"}),
        "a member of another kind": archive(content | {"run.py": b"print(1)"}),
        "a pickle beside": archive(content | {"data.pkl": pickle.dumps(1)}),
        "a member twice": twice(content),
        "a thousand members": archive(content | {f"{k}.npy": b"" for k in range(1000)}),
        "a bomb": archive(content | {"bomb.npy": bytes(200_000_000)}, zipfile.ZIP_DEFLATED),
        "a schema that is a bomb": archive({"schema.json": b" " * 100_000_000}, zipfile.ZIP_DEFLATED),
        "packed by LZMA noise": archive(content, zipfile.ZIP_LZMA)[:-200],
        "cut in half": good()[: len(good()) // 2],
        "noise in the archive": good()[:40] + np.random.default_rng(0).bytes(2000) + b"schema.json",
    }  # fmt: skip
