"""Tree ensembles as ONNX graphs, written here: converters of the field lose links and round thresholds.

Source of the operator: ONNX, docs/Operators-ml.md, TreeEnsembleRegressor-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regatta_client.conversion.packages import need

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8


class Branch(StrEnum):
    """What leads to the left child: a value below the threshold, or up to it."""

    BELOW = "BRANCH_LT"
    UP_TO = "BRANCH_LEQ"


class Link(StrEnum):
    """From the sum of leaves to the prediction; the operator's name."""

    NONE = ""
    LOGISTIC = "Sigmoid"
    EXPONENTIAL = "Exp"


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes of one tree (length K), the first of them its root; of a leaf only the value counts."""

    is_leaf: NDArray[np.bool_]
    feature: NDArray[np.integer[Any]]
    threshold: NDArray[np.float32]
    left: NDArray[np.integer[Any]]
    right: NDArray[np.integer[Any]]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]


def write(trees: Sequence[Tree], *, base: float, width: int, branch: Branch, link: Link) -> bytes:
    """An ONNX file that sums the leaves, and `base`, and applies the link."""
    onnx = need("onnx", package="onnx", why="writing ONNX")
    make, float32 = onnx.helper, onnx.TensorProto.FLOAT
    ends = [make.make_tensor_value_info(name, float32, ["n", size]) for name, size in (("x", width), ("y", 1))]
    sums = make.make_node(
        "TreeEnsembleRegressor", ["x"], ["sum" if link else "y"], domain="ai.onnx.ml", n_targets=1,
        base_values=[float(base)], aggregate_function="SUM", post_transform="NONE", **_attributes(trees, branch),
    )  # fmt: skip
    nodes = [sums, *([make.make_node(link.value, ["sum"], ["y"])] if link else [])]
    opsets = [make.make_opsetid("", OPSET), make.make_opsetid("ai.onnx.ml", ML_OPSET)]
    graph = make.make_graph(nodes, "trees", ends[:1], ends[1:])
    data: bytes = make.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString()
    return data


def _attributes(trees: Sequence[Tree], branch: Branch) -> dict[str, list[Any]]:
    """Every tree's nodes one after the other, as the operator takes them."""
    number = [np.full(len(tree.value), place) for place, tree in enumerate(trees)]
    node = [np.arange(len(tree.value)) for tree in trees]
    leaf = _joined([tree.is_leaf for tree in trees])
    inner: dict[str, list[NDArray[Any]]] = {
        "nodes_featureids": [tree.feature for tree in trees], "nodes_truenodeids": [tree.left for tree in trees],
        "nodes_falsenodeids": [tree.right for tree in trees], "nodes_values": [tree.threshold for tree in trees],
        "nodes_missing_value_tracks_true": [tree.missing_left for tree in trees],
    }  # fmt: skip
    found = {name: np.where(leaf, 0, _joined(parts)).tolist() for name, parts in inner.items()}
    found["nodes_missing_value_tracks_true"] = [int(one) for one in found["nodes_missing_value_tracks_true"]]
    ids, nodes = _joined(number), _joined(node)
    return found | {
        "nodes_treeids": ids.tolist(), "nodes_nodeids": nodes.tolist(),
        "nodes_modes": np.where(leaf, "LEAF", branch.value).tolist(), "target_treeids": ids[leaf].tolist(),
        "target_nodeids": nodes[leaf].tolist(), "target_ids": [0] * int(leaf.sum()),
        "target_weights": _joined([tree.value for tree in trees])[leaf].tolist(),
    }  # fmt: skip


def up_to(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each threshold: `x <= t` then says the same of every float32 x."""
    single = threshold.astype(np.float32)
    return np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single).astype(np.float32)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts)
