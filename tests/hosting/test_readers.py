"""Readers meet files that are broken at random, and know no other way out than a refusal."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError

from tests.hosting import graphs, pipelines, trees, weights
from tournament.errors import BadModel
from tournament.hosted import lightgbm_text, linear, network, onnx_graph

ROUNDS = 400


def broken(data: bytes, rng: np.random.Generator) -> bytes:
    """The data with some bytes changed, left out, repeated or moved."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        start = int(rng.integers(0, len(changed)))
        stop = start + int(rng.integers(0, 12))
        piece = changed[start:stop]
        way = rng.integers(0, 5)
        changed[start:stop] = (
            b"", piece + piece, rng.bytes(len(piece)), bytes(reversed(piece)),
            bytes([rng.integers(32, 127)]) * len(piece),
        )[way]  # fmt: skip
    return bytes(changed)


def without_refusals(read: Callable[[bytes], object], data: bytes, mend: Callable[[bytes], bytes] = bytes) -> int:
    """How many broken files were taken nevertheless; any other error than a refusal is raised."""
    rng, taken = np.random.default_rng(1), 0
    for _ in range(ROUNDS):
        try:
            read(mend(broken(data, rng)))
        except BadModel:
            continue
        taken += 1
    return taken


def check_graph(data: bytes) -> None:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise BadModel("no protobuf") from None
    onnx_graph.check(model)


def in_archive(schema: bytes) -> bytes:
    return pipelines.archive(pipelines.members() | {"schema.json": schema})


def test_trees_broken_at_random() -> None:
    assert without_refusals(lightgbm_text.parse, trees.GOOD) < ROUNDS


def test_networks_broken_at_random() -> None:
    assert without_refusals(network.read, weights.GOOD) < ROUNDS


def test_graphs_broken_at_random() -> None:
    assert without_refusals(check_graph, graphs.GOOD) < ROUNDS


def test_archives_broken_at_random() -> None:
    assert without_refusals(linear.read, pipelines.good()) < ROUNDS


def test_schemas_broken_at_random() -> None:
    schema = json.dumps(json.loads(pipelines.members()["schema.json"]), separators=(",", ":")).encode()

    assert without_refusals(linear.read, schema, in_archive) < ROUNDS


@pytest.mark.parametrize("wrong", [None, 7, "text", [], {}, [1], True])
def test_a_schema_with_a_wrong_part_anywhere(wrong: object) -> None:
    """Every node of the schema is replaced in turn by a value of another kind."""
    content = pipelines.members()
    with zipfile.ZipFile(io.BytesIO(pipelines.good())) as packed:
        tree = json.loads(packed.read("schema.json"))

    refused = 0
    for path in paths(tree):
        spoilt = json.loads(json.dumps(tree))
        place = spoilt
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = wrong
        try:
            linear.read(pipelines.archive(content | {"schema.json": json.dumps(spoilt).encode()}))
        except BadModel:
            refused += 1

    assert refused > 40


def paths(tree: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Where the parts of the schema are that a reader looks at."""
    found: list[tuple[object, ...]] = [at] if at and "key_types" not in at else []
    if isinstance(tree, dict):
        return found + [path for key, value in tree.items() for path in paths(value, (*at, key))]
    if isinstance(tree, list):
        return found + [path for key, value in enumerate(tree) for path in paths(value, (*at, key))]
    return found
