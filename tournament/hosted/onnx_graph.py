"""ONNX models: graphs of operators that compute, and end.

ONNX Runtime checks trees and shapes well, but runs an endless Loop; so operators are taken from a list, and a graph may
hold nothing else: no graphs within, no functions, no data beside the file, no operators of strangers. Source of the
format: ONNX 1.23, docs/IR.md and docs/Operators.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault, counted, printable
from tournament.hosted.model import Single

OPSETS = {"": range(9, 24), "ai.onnx": range(9, 24), "ai.onnx.ml": range(1, 5)}
MAX_NODES, MAX_NUMBERS, MAX_TEXT, MAX_AXES, MAX_FEATURES = 5_000, 8_000_000, 100_000, 8, 20_000
OPERATORS = {
    "": (
        "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Celu", "Clip",
        "Concat", "Constant", "Conv", "Cos", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten",
        "Floor", "Gather", "GatherElements", "Gelu", "Gemm", "GlobalAveragePool", "Greater", "GreaterOrEqual",
        "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "IsInf", "IsNaN",
        "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "MatMul", "Max", "Mean", "Min",
        "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "Reciprocal", "ReduceL1", "ReduceL2",
        "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
        "Relu", "Reshape", "Round", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax", "Softplus",
        "Softsign", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Transpose",
        "Unsqueeze", "Where", "Xor",
    ),
    "ai.onnx.ml": (
        "ArrayFeatureExtractor", "Binarizer", "FeatureVectorizer", "Imputer", "LinearRegressor", "Normalizer",
        "SVMRegressor", "Scaler", "TreeEnsembleRegressor",
    ),
}  # fmt: skip
NUMBER_TYPES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
"""Types of tensors (float, uint8, int8, int32, int64, bool, float16, double) and their bytes."""
MAX_TREE_NODES = 1_000_000
MODES = {b"LEAF", *(f"BRANCH_{kind}".encode() for kind in ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ"))}
FLOAT, FLOATS = 1, {1: "<f4", 10: "<f2", 11: "<f8"}
IN_FILE = 0
LONE_ATTRIBUTES = frozenset({1, 2, 3, 4, 6, 7, 8})
"""Attributes that are a number, a text, a tensor, or lists of numbers or texts: no graphs."""


class Graph:
    """A checked graph in ONNX Runtime's hands."""

    names = ()

    def __init__(self, data: bytes, width: int, nodes: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - its errors have no common class; the graph is the reason
            raise _refused(error) from None
        self.width, self.about = width, f"ONNX, {counted(nodes, 'operator', 'operators')}"
        self._input = self._session.get_inputs()[0].name

    def values(self, features_NW: Single) -> NDArray[np.floating]:
        """The graph's one output (N or N x 1)."""
        try:
            found = self._session.run(None, {self._input: features_NW})[0]
        except Exception as error:  # noqa: BLE001 - as above
            raise _refused(error) from None
        if not isinstance(found, np.ndarray) or found.dtype != np.float32:
            raise _bad("output", "its output is no tensor of float32")
        return found


def prepare() -> None:
    """Load ONNX Runtime and let it answer once."""
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    Graph(onnx.ModelProto.SerializeToString(model), 1, 1).values(np.zeros((1, 1), np.float32))


def read(data: bytes) -> Graph:
    """The graph in the bytes of an ONNX file. Raises BadModel."""
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RuntimeError):
        raise _bad("protobuf", "it cannot be read as ONNX") from None
    width = check(model)
    model.ClearField("metadata_props")
    return Graph(model.SerializeToString(), width, len(model.graph.node))


def check(model: Any) -> int:
    """How many features a model reads, when all of it is in order. Raises BadModel."""
    for part in ("functions", "training_info", "configuration"):
        if len(getattr(model, part, ())):
            raise _bad(part, f"it holds {part}")
    for opset in model.opset_import:
        if opset.version not in OPSETS.get(opset.domain, ()):
            name = printable(opset.domain[:60]) or "ai.onnx"
            raise _bad("opset", f"it asks for version {opset.version} of {name}, which is not taken")
    graph = model.graph
    if not 1 <= len(graph.node) <= MAX_NODES:
        raise _bad("nodes", f"it has {len(graph.node):,} operators; 1 to {MAX_NODES:,} are taken")
    if len(graph.sparse_initializer) or len(graph.quantization_annotation):
        raise _bad("sparse", "it holds sparse or quantized tensors")
    tensors = [*graph.initializer, *(tensor for node in graph.node for tensor in _node(node))]
    if sum(map(_tensor, tensors)) > MAX_NUMBERS:
        raise _bad("too_many_numbers", f"it holds more than {MAX_NUMBERS:,} numbers")
    return _ends(graph)


def _ends(graph: Any) -> int:
    """Width of the one input. Raises BadModel when input and output are not as asked for."""
    held = {tensor.name for tensor in graph.initializer}
    inputs = [given for given in graph.input if given.name not in held]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise _bad("ends", f"it has {len(inputs)} inputs and {len(graph.output)} outputs, expected one of each")
    rows, *rest = _shape(inputs[0], "input")
    if len(rest) != 1 or not 1 <= rest[0] <= MAX_FEATURES or rows:
        raise _bad("input_shape", "its input has not the shape (rows, features) with rows left open")
    out = _shape(graph.output[0], "output") if graph.output[0].type.tensor_type.HasField("shape") else [0]
    if out[0] or out[1:] not in ([], [1], [0]):
        raise _bad("output_shape", "its output has not the shape (rows,) or (rows, 1) with rows left open")
    return int(rest[0])


def _shape(value: Any, what: str) -> list[int]:
    """Sizes of the axes of an input or output of float32; 0 for one left open."""
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or tensor.elem_type != FLOAT:
        raise _bad(what, f"its {what} is no tensor of float32")
    if not tensor.HasField("shape") or not len(tensor.shape.dim):
        raise _bad(f"{what}_shape", f"its {what} has no shape")
    return [axis.dim_value if axis.WhichOneof("value") == "dim_value" else 0 for axis in tensor.shape.dim]


def _node(node: Any) -> Iterable[Any]:
    """The tensors among a node's attributes. Raises BadModel when the operator or an attribute is not taken."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    if node.op_type not in OPERATORS.get(domain, ()):
        name = printable(f"{node.domain + '.' if node.domain else ''}{node.op_type}"[:80])
        raise _bad("operator", f"the operator {name} is not taken", ENDS)
    for attribute in node.attribute:
        if attribute.type not in LONE_ATTRIBUTES or len(attribute.graphs) or attribute.HasField("g"):
            raise _bad("attribute", f"an attribute of {node.op_type} holds a graph or is of a kind that is not taken")
        if attribute.ref_attr_name or attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors):
            raise _bad("attribute", f"an attribute of {node.op_type} refers to something else")
        if not all(map(math.isfinite, (attribute.f, *attribute.floats))) and not _is_bound(node):
            raise _bad("not_finite", f"an attribute of {node.op_type} holds missing or infinite numbers")
        is_long = max(len(attribute.s), sum(map(len, attribute.strings))) > MAX_TEXT and not _are_modes(attribute)
        if is_long or len(attribute.floats) > MAX_NUMBERS:
            raise _bad("attribute", f"an attribute of {node.op_type} is too long")
    if node.op_type == "Constant" and any(attribute.name == "value" and not attribute.HasField("t")
                                          for attribute in node.attribute):  # fmt: skip
        raise _bad("attribute", "a Constant has no value")
    return [
        *(one.t for one in node.attribute if one.HasField("t")),
        *(t for one in node.attribute for t in one.tensors),
    ]


def _are_modes(attribute: Any) -> bool:
    """Whether it says of each node of a forest how it branches: short words, but one a node."""
    return (
        attribute.name == "nodes_modes" and len(attribute.strings) <= MAX_TREE_NODES and {*attribute.strings} <= MODES
    )


def _is_bound(node: Any) -> bool:
    """Whether infinity is a fair limit there: of Clip, and thresholds that no value passes."""
    return node.op_type in ("Clip", "TreeEnsembleRegressor", "Imputer")


def _tensor(tensor: Any) -> int:
    """How many numbers a tensor holds. Raises BadModel when it is elsewhere, or not as it says."""
    name = printable(tensor.name[:60]) or "a tensor"
    if len(tensor.external_data) or tensor.data_location != IN_FILE or tensor.HasField("segment"):
        raise _bad("external_data", f"{name} lies outside the file")
    if tensor.data_type not in NUMBER_TYPES:
        raise _bad("dtype", f"{name} is of a type that is not taken")
    if len(tensor.dims) > MAX_AXES or any(size < 0 or size > MAX_NUMBERS for size in tensor.dims):
        raise _bad("shape", f"{name} has a shape that is none")
    count = math.prod(tensor.dims)
    if count > MAX_NUMBERS:
        raise _bad("too_many_numbers", f"{name} has {count:,} numbers, at most {MAX_NUMBERS:,} are taken")
    _data(tensor, count, name)
    return count


def _data(tensor: Any, count: int, name: str) -> None:
    """Raises BadModel when a tensor's numbers are not as many as its shape says, or not finite."""
    listed: dict[str, Any] = {
        kind: getattr(tensor, kind)
        for kind in ("float_data", "double_data", "int32_data", "int64_data", "uint64_data", "string_data")
        if len(getattr(tensor, kind))
    }
    raw = tensor.raw_data
    if len(listed) + bool(raw) > 1 or "string_data" in listed:
        raise _bad("tensor_bytes", f"{name} gives its numbers twice, or gives text")
    length = len(raw) / NUMBER_TYPES[tensor.data_type] if raw or not listed else len(next(iter(listed.values())))
    if length != count:
        raise _bad("tensor_bytes", f"{name} holds {length:g} numbers where its shape asks for {count:,}")
    if raw and tensor.data_type in FLOATS:
        numbers = np.frombuffer(raw, FLOATS[tensor.data_type])
    else:
        numbers = np.array(next(iter(listed.values()), ()), dtype=float)
    if np.isnan(numbers).any() or (np.isinf(numbers).any() and count > 1):  # one alone may be the limit of a Clip
        raise _bad("not_finite", f"{name} holds missing or infinite numbers", "train it anew")


ENDS = "export the network for inference, without loops, branches, random numbers or text"


def _refused(error: Exception) -> BadModel:
    said = printable((str(error).splitlines() or [type(error).__name__])[0][:300])
    return _bad("onnxruntime", f"ONNX Runtime refuses it: {said}")


def _bad(code: str, message: str, hint: str = "export it anew, and try it with onnxruntime") -> BadModel:
    return BadModel(Fault(code, f"the ONNX model cannot be taken: {message}", hint))
