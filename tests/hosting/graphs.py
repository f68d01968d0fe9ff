"""ONNX graphs that loop, reach out, lie about themselves or ask for more than there is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 5
FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RNG = np.random.default_rng(0)


def value(name: str, shape: Sequence[Any], kind: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name: str, values: Any, kind: type = np.float32) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


WEIGHT, BIAS = tensor("w", RNG.normal(size=(WIDTH, 1))), tensor("b", [0.1])


def model(nodes: Sequence[Any], held: Sequence[Any] = (WEIGHT, BIAS), **changes: Any) -> Any:
    """A model of those nodes from x (rows, 5) to y (rows, 1)."""
    given = {"inputs": [value("x", ["n", WIDTH])], "outputs": [value("y", ["n", 1])], "opset": 13, "domains": (),
             "functions": ()} | changes  # fmt: skip
    graph = helper.make_graph(list(nodes), "g", given["inputs"], given["outputs"], list(held))
    opsets = [helper.make_opsetid("", given["opset"]), *(helper.make_opsetid(name, 1) for name in given["domains"])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(given["functions"]))


def data(nodes: Sequence[Any], held: Sequence[Any] = (WEIGHT, BIAS), **changes: Any) -> bytes:
    return bytes(model(nodes, held, **changes).SerializeToString())


def node(kind: str, inputs: str, outputs: str = "y", **attributes: Any) -> Any:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


LINEAR = (node("Gemm", "x w b"),)
GOOD = data(LINEAR)


def network(widths: Sequence[int], seed: int = 0) -> bytes:
    """Layers with Relu between."""
    rng, nodes, held, last = np.random.default_rng(seed), [], [], "x"
    for place, (into, out) in enumerate(pairwise(widths)):
        held += [
            tensor(f"w{place}", rng.normal(size=(into, out)) / into**0.5),
            tensor(f"b{place}", rng.normal(size=out)),
        ]
        end = place == len(widths) - 2
        nodes.append(node("Gemm", f"{last} w{place} b{place}", "y" if end else f"h{place}"))
        nodes += [] if end else [node("Relu", f"h{place}", f"r{place}")]
        last = f"r{place}"
    return data(nodes, held, inputs=[value("x", ["n", widths[0]])])


def forest(**changes: Any) -> bytes:
    """A tree of one split by ai.onnx.ml."""
    given: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [1, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_values": [2.0, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0],
        "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 3.0], "n_targets": 1,
    } | changes  # fmt: skip
    trees = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **given)
    return data([trees], (), domains=["ai.onnx.ml"])


def _body(*, inputs: Sequence[Any] = (), more: Sequence[Any] = ()) -> Any:
    nodes = [node("Identity", "go", "going"), node("Relu", "v", "w2")]
    outputs = [value("going", [], BOOL), value("w2", ["n", WIDTH])]
    return helper.make_graph([*nodes, *more], "body", [value("i", [], INT), value("go", [], BOOL), *inputs], outputs)


def endless_loop() -> bytes:
    loop = helper.make_node("Loop", ["trips", "true", "x"], ["z"], body=_body(inputs=[value("v", ["n", WIDTH])]))
    held = [tensor("trips", 2**62, np.int64), tensor("true", True, np.bool_), WEIGHT, BIAS]
    return data([loop, node("Gemm", "z w b")], held)


def branch() -> bytes:
    side = helper.make_graph([node("Gemm", "x w b", "s")], "side", [], [value("s", ["n", 1])])
    return data([helper.make_node("If", ["true"], ["y"], then_branch=side, else_branch=side)],
                [WEIGHT, BIAS, tensor("true", True, np.bool_)])  # fmt: skip


def scan() -> bytes:
    body = helper.make_graph([node("Identity", "a", "c")], "body", [value("a", [WIDTH])], [value("c", [WIDTH])])
    scanned = helper.make_node("Scan", ["x"], ["z"], body=body, num_scan_inputs=1)
    return data([scanned, node("Gemm", "z w b")])


def function() -> bytes:
    inner = helper.make_function(
        "mine", "Twice", ["a"], ["c"], [node("Add", "a a", "c")], [helper.make_opsetid("", 13)]
    )
    call = helper.make_node("Twice", ["x"], ["z"], domain="mine")
    return data([call, node("Gemm", "z w b")], domains=["mine"], functions=[inner])


def external(location: str) -> bytes:
    outside = tensor("w", np.zeros((WIDTH, 1)))
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", "0"), ("length", "20")):
        outside.external_data.add(key=key, value=text)
    return data(LINEAR, [outside, BIAS])


def weight(**fields: Any) -> bytes:
    """The linear model with another weight tensor."""
    changed = onnx.TensorProto.FromString(WEIGHT.SerializeToString())
    for name, given in fields.items():
        changed.ClearField(name)
        if isinstance(given, list):
            getattr(changed, name).extend(given)
        else:
            setattr(changed, name, given)
    return data(LINEAR, [changed, BIAS])


def sparse() -> bytes:
    held = helper.make_sparse_tensor(tensor("w", [1.0]), tensor("i", [0], np.int64), [WIDTH, 1])
    made = model(LINEAR, [BIAS])
    made.graph.sparse_initializer.append(held)
    return bytes(made.SerializeToString())


def training() -> bytes:
    made = model(LINEAR)
    made.training_info.add().algorithm.CopyFrom(made.graph)
    return bytes(made.SerializeToString())


def referring() -> bytes:
    made = model(LINEAR)
    made.graph.node[0].attribute.add(name="alpha", ref_attr_name="elsewhere", type=onnx.AttributeProto.FLOAT)
    return bytes(made.SerializeToString())


def hidden_graph() -> bytes:
    made = model(LINEAR)
    hidden = made.graph.node[0].attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT)
    hidden.g.CopyFrom(model(LINEAR).graph)
    return bytes(made.SerializeToString())


BIG = 1_000_000
TAMPERED = {
    "an endless loop": endless_loop(),
    "a branch": branch(),
    "a scan": scan(),
    "a function": function(),
    "data beside the file": external("weights.bin"),
    "data up the path": external("../../../../etc/passwd"),
    "data at a path": external("/etc/passwd"),
    "an operator of strangers": data([helper.make_node("Run", ["x"], ["y"], domain="com.evil")], domains=["com.evil"]),
    "an operator of Microsoft's": data([helper.make_node("FusedGemm", ["x", "w", "b"], ["y"], domain="com.microsoft")],
                                       domains=["com.microsoft"]),
    "random numbers": data([node("RandomNormalLike", "x", "z"), node("Gemm", "z w b")]),
    "a sequence": data([node("SequenceConstruct", "x", "s"), node("Gemm", "x w b")]),
    "text": data([node("StringNormalizer", "x", "z"), node("Gemm", "x w b")]),
    "an unknown operator": data([node("FormatDisk", "x", "z"), node("Gemm", "x w b")]),
    "a hundred thousand operators": data(
        [node("Identity", "x" if k == 0 else f"h{k}", f"h{k + 1}") for k in range(100_000)] + [node("Gemm", "x w b")]
    ),
    "no operators": data([], ()),
    "a weight that is not a number": data(LINEAR, [tensor("w", np.full((WIDTH, 1), np.nan)), BIAS]),
    "an infinite weight": data(LINEAR, [tensor("w", np.full((WIDTH, 1), np.inf)), BIAS]),
    "an attribute that is not a number": data([node("Gemm", "x w b", alpha=float("nan"))]),
    "a constant that is not a number": data([node("Constant", "", "c", value=tensor("c", [np.nan])),
                                             node("Gemm", "x w c")], [WEIGHT]),
    "sparse weights": sparse(),
    "a training within": training(),
    "an attribute that refers": referring(),
    "an attribute with a graph": hidden_graph(),
    "a weight cut short": weight(raw_data=b"\0\0\0\0"),
    "a weight of a million million": weight(dims=[BIG, BIG], raw_data=b""),
    "a weight of negative size": weight(dims=[-1, -5]),
    "a weight of many axes": weight(dims=[1] * 50),
    "a weight given twice": weight(float_data=[1.0] * WIDTH),
    "a weight of text": weight(data_type=TensorProto.STRING, raw_data=b"", string_data=[b"x"] * WIDTH),
    "a weight of complex numbers": weight(data_type=TensorProto.COMPLEX64),
    "a weight of no type": weight(data_type=999),
    "operators of tomorrow": data(LINEAR, opset=99),
    "operators of yesterday": data(LINEAR, opset=1),
    "a training domain": data(LINEAR, domains=["ai.onnx.preview.training"]),
    "two inputs": data([node("Add", "x z", "s"), node("Gemm", "s w b")],
                       inputs=[value("x", ["n", WIDTH]), value("z", ["n", WIDTH])]),
    "no input": data([node("Constant", "", "y", value=tensor("y", [[1.0]]))], (), inputs=[]),
    "two outputs": data([*LINEAR, node("Relu", "y", "z")], outputs=[value("y", ["n", 1]), value("z", ["n", 1])]),
    "another width": data(LINEAR, [tensor("w", np.zeros((9, 1))), BIAS], inputs=[value("x", ["n", 9])]),
    "rows that are fixed": data(LINEAR, inputs=[value("x", [3, WIDTH])]),
    "an input of three axes": data(LINEAR, inputs=[value("x", ["n", WIDTH, 1])]),
    "an input without a shape": data(LINEAR, inputs=[helper.make_tensor_value_info("x", FLOAT, None)]),
    "an input of integers": data([node("Cast", "x", "f", to=FLOAT), node("Gemm", "f w b")],
                                 inputs=[value("x", ["n", WIDTH], INT)]),
    "three values a row": data(LINEAR, [tensor("w", np.zeros((WIDTH, 3))), tensor("b", np.zeros(3))],
                               outputs=[value("y", ["n", 3])]),
    "an output of integers": data([node("Gemm", "x w b", "f"), node("Cast", "f", to=INT)],
                                  outputs=[value("y", ["n", 1], INT)]),
    "an output that lies about its shape": data([node("Transpose", "x", "t"), node("Relu", "t")]),
    "one value for all rows": data([node("Gemm", "x w b", "f"), node("ReduceMean", "f", keepdims=1)]),
    "an answer that is not a number": data([node("Sub", "x x", "z"), node("Log", "z", "l"), node("Mul", "l z", "m"),
                                            node("Gemm", "m w b")]),
    "an infinite answer": data([node("Exp", "x", "e"), node("Exp", "e", "f"), node("Exp", "f", "g"),
                                node("ReduceSum", "g", keepdims=1)]),
    "a node that eats its own output": data([node("Add", "x z", "z"), node("Gemm", "z w b")]),
    "an input from nowhere": data([node("Gemm", "nowhere w b")]),
    "shapes that do not meet": data(LINEAR, [tensor("w", np.zeros((3, 1))), BIAS]),
    "an output that nothing makes": data([node("Gemm", "x w b", "other")]),
    "a bomb of memory": data([node("Expand", "b s", "z"), node("ReduceSum", "z", "r", keepdims=0),
                              node("Gemm", "x w r")], [WEIGHT, BIAS, tensor("s", [BIG, BIG], np.int64)]),
    "a tree that is a loop": forest(nodes_truenodeids=[0, 0, 0]),
    "a tree with a far child": forest(nodes_falsenodeids=[77, 0, 0]),
    "a tree on a far feature": forest(nodes_featureids=[10**9, 0, 0]),
    "a tree with lists that differ": forest(nodes_values=[2.0]),
    "a tree with a far target": forest(target_ids=[0, 99]),
    "cut in half": GOOD[: len(GOOD) // 2],
    "noise after the first bytes": GOOD[:2] + RNG.bytes(5000),
    "nothing after the first bytes": GOOD[:2],
}  # fmt: skip


def slow() -> bytes:
    """Only operators that are taken, and far more of them than a second can do."""
    side = 2000
    square = tensor("s", RNG.normal(size=(side, side)))
    nodes = [node("Gemm", "x w", "h0")]
    nodes += [node("MatMul", f"h{k} s", f"h{k + 1}") for k in range(400)]
    return data([*nodes, node("ReduceSum", "h400", keepdims=1)], [tensor("w", RNG.normal(size=(WIDTH, side))), square])
