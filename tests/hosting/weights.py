"""safetensors files whose header or weights are not what they must be."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

WIDTH = 5
RNG = np.random.default_rng(0)
CONFIG = {"architecture": "mlp", "activation": "relu", "features": WIDTH}
LAYERS = {
    "layers.0.weight": RNG.normal(size=(4, WIDTH)), "layers.0.bias": RNG.normal(size=4),
    "layers.1.weight": RNG.normal(size=(1, 4)), "layers.1.bias": RNG.normal(size=1),
}  # fmt: skip


def file(tensors: dict[str, Any] | None = None, config: Any = CONFIG, *, tail: bytes = b"", **described: Any) -> bytes:
    """A safetensors file as the library writes it; `described` changes what the header says of the first tensor."""
    tensors = LAYERS if tensors is None else tensors
    header: dict[str, Any] = {} if config is None else {"__metadata__": {"regatta": json.dumps(config)}}
    body = b""
    for name, values in tensors.items():
        data = np.asarray(values, dtype="<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(np.shape(values)),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    if described:
        header[next(iter(tensors))] |= described
    return packed(json.dumps(header).encode(), body + tail)


def packed(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def changed(**changes: Any) -> dict[str, Any]:
    """The layers with some replaced; None leaves one out. Names are written with _ for the points."""
    fresh = {name.replace("_", "."): values for name, values in changes.items()}
    return {name: values for name, values in (LAYERS | fresh).items() if values is not None}


def config(**changes: Any) -> bytes:
    return file(config=CONFIG | changes)


GOOD = file()
DEEP = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
TAMPERED = {
    "a header longer than the file": (10**6).to_bytes(8, "little") + b"{}" + b" " * 20,
    "a header that is no JSON": packed(b"{nonsense" + b" " * 20),
    "a header that is nested too deep": packed(DEEP),
    "a name twice": packed(b'{"a": {"dtype": "F32"}, "a": {"dtype": "F32"}}'),
    "no tensors": file({}),
    "no config": file(config=None),
    "a config that is no object": file(config=[1, 2]),
    "a config that is nested too deep": packed(json.dumps({"__metadata__": {"regatta": DEEP.decode()}} |
                                               {"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}).encode()),
    "an unknown architecture": config(architecture="os.system"),
    "an unknown activation": config(activation="__import__"),
    "an unknown key": config(code="print(1)"),
    "no features": config(features=0),
    "features that are true": config(features=True),
    "a feature twice": config(features=["a", "b", "c", "d", "a"]),
    "features of another tournament": config(features=["p", "q", "r", "s", "t"]),
    "more features than weights": config(features=6),
    "heads that are text": config(heads="two"),
    "a tensor described by nothing": file(dtype=None),
    "a tensor of integers": file(dtype="I32"),
    "a tensor of bfloat": file(dtype="BF16"),
    "a shape that is text": file(shape="four"),
    "a shape of negative size": file(shape=[-4, -5]),
    "a shape of true": file(shape=[True, 20]),
    "a shape larger than its bytes": file(shape=[400, 5]),
    "a shape beyond memory": file(shape=[8_000_000, 8_000_000]),
    "a shape of many axes": file(shape=[1] * 30 + [20]),
    "offsets that overlap": file(data_offsets=[0, 84]),
    "offsets beyond the file": file(data_offsets=[0, 10**9]),
    "offsets that run back": file(data_offsets=[80, 0]),
    "offsets that are negative": file(data_offsets=[-80, 0]),
    "offsets with a gap": file(data_offsets=[4, 80]),
    "bytes after the last tensor": file(tail=b"MZ" * 100),
    "weights that are not numbers": file(changed(layers_0_weight=np.full((4, WIDTH), np.nan))),
    "weights that are infinite": file(changed(layers_0_bias=np.full(4, np.inf))),
    "weights that overflow together": file(changed(layers_0_weight=np.full((4, WIDTH), 3e38),
                                                   layers_1_weight=np.full((1, 4), 3e38))),
    "a layer without bias": file(changed(layers_0_bias=None)),
    "a layer that does not fit": file(changed(layers_1_weight=np.zeros((1, 9)))),
    "a layer of one axis": file(changed(layers_0_weight=np.zeros(20))),
    "two values a row": file(changed(layers_1_weight=np.zeros((2, 4)), layers_1_bias=np.zeros(2))),
    "a tensor too many": file(changed(layers_7_weight=np.zeros((1, 1)))),
    "too many tensors": file({f"t{k}": np.zeros(1) for k in range(300)}),
    "a transformer without tokens": config(architecture="transformer"),
    "a transformer whose heads do not fit": file({"tokens.weight": np.zeros((WIDTH, 6))},
                                                 CONFIG | {"architecture": "transformer", "heads": 4}),
    "a transformer of too many tokens": config(architecture="transformer", features=10_000),
}  # fmt: skip
