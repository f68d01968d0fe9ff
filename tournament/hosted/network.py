"""Networks of the platform's own architectures: weights in a safetensors file, what they are in its metadata.

Nothing is built of what a file says: the config names an architecture of this module, and every weight must have the
name and the shape that it asks for. Evaluated by numpy in double precision. Source of the format: safetensors 0.8,
README ("Format"); of the layers: torch 2.13, `nn.Linear` and `nn.TransformerEncoderLayer(norm_first=True)`.

Shape suffixes: N rows, W features, D width of a token, H heads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault
from tournament.hosted.formats import HEADER_BYTES
from tournament.hosted.model import Single
from tournament.hosted.numbers import array, shown, take

Floats = NDArray[np.float64]
Tensors = Mapping[str, NDArray[Any]]
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
METADATA, CONFIG = "__metadata__", "regatta"
MAX_TENSORS, MAX_LAYERS, MAX_WIDTH, MAX_FEATURES, MAX_TOKENS = 200, 24, 4_096, 20_000, 512
NUMBERS_AT_ONCE = 8_000_000
"""Of one intermediate result: all rows at once might not fit into memory."""
NORM_EPSILON = 1e-5


def _gelu(x: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(0.5 * x * (1.0 + erf(x / np.sqrt(2.0))))


def _silu(x: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(x * expit(x))


ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, 0.0), "tanh": np.tanh, "gelu": _gelu, "silu": _silu,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """What a file says of itself; `features` are names, or how many."""

    architecture: str
    names: tuple[str, ...]
    width: int
    activation: str
    heads: int


@dataclass(frozen=True)
class Network:
    """Checked weights and the function that evaluates them."""

    names: tuple[str, ...]
    width: int
    about: str
    rows: int
    """Rows that are evaluated at once."""
    forward: Callable[[Floats], Floats]

    def values(self, features_NW: Single) -> Floats:
        """The network's output (N), a part of the rows at a time."""
        with np.errstate(all="ignore"):  # what overflows is told by the check of the answer
            parts = [
                self.forward(features_NW[start : start + self.rows].astype(np.float64))
                for start in range(0, len(features_NW), self.rows)
            ]
        return np.concatenate(parts) if parts else np.zeros(0)


def prepare() -> None:
    """Load what the activations need."""
    one = np.zeros(1)
    for activation in ACTIVATIONS.values():
        activation(one)


def read(data: bytes) -> Network:
    """The network in a safetensors file. Raises BadModel."""
    config, tensors = parse(data)
    build = {"mlp": _mlp, "transformer": _transformer}[config.architecture]
    layers, used, widest, forward = build(config, tensors)
    if extra := sorted(set(tensors) - used):
        raise _bad("extra_tensor", f"tensor {shown(extra[0])} is not part of {config.architecture}")
    about, rows = f"{config.architecture}, {layers} layers", max(1, NUMBERS_AT_ONCE // widest)
    return Network(config.names, config.width, about, rows, forward)


def parse(data: bytes) -> tuple[Config, Tensors]:
    """Config and tensors; the tensors fill the file without gap or overlap. Raises BadModel."""
    size = int.from_bytes(data[:8], "little")
    if size > HEADER_BYTES or 8 + size > len(data):
        raise _bad("header", "its header is longer than the file")
    header = _json(data[8 : 8 + size], "the header")
    described = {name: about for name, about in header.items() if name != METADATA}
    if not 0 < len(described) <= MAX_TENSORS:
        raise _bad("header", f"it has {len(described)} tensors; 1 to {MAX_TENSORS} are taken")
    body, end, tensors = memoryview(data)[8 + size :], 0, {}
    for name, about in sorted(described.items(), key=lambda item: _start(*item)):
        start, stop = about["data_offsets"]
        if start != end or stop < start or stop > len(body):
            raise _bad("offsets", f"tensor {shown(name)} overlaps, leaves a gap or ends beyond the file")
        tensors[name], end = array(body[start:stop], TYPES[about["dtype"]], about["shape"], name), stop
    if end != len(body):
        raise _bad("offsets", f"{len(body) - end:,} bytes after the last tensor belong to none")
    return _config(header.get(METADATA)), tensors


def _start(name: str, about: Any) -> int:
    """Where a tensor begins, of a description that is in order."""
    if not isinstance(about, dict) or set(about) != {"dtype", "shape", "data_offsets"}:
        raise _bad("header", f"tensor {shown(name)} is not described by dtype, shape and data_offsets")
    offsets = about["data_offsets"]
    if not isinstance(about["dtype"], str) or about["dtype"] not in TYPES:
        raise _bad("dtype", f"tensor {shown(name)} is not of {', '.join(TYPES)}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(one) is int and one >= 0 for one in offsets):
        raise _bad("offsets", f"tensor {shown(name)} has no two offsets")
    return int(offsets[0])


def _config(metadata: Any) -> Config:
    """The config in the metadata, every key known and of its kind."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get(CONFIG), str):
        raise _bad("config", f"its metadata has no text {CONFIG!r} that says which network it is")
    given = _json(metadata[CONFIG].encode(), "the config")
    if extra := sorted(set(given) - {"architecture", "activation", "features", "heads"}):
        raise _bad("config", f"the config has an unknown key {shown(extra[0])}")
    architecture, activation = given.get("architecture"), given.get("activation", "relu")
    if architecture not in ("mlp", "transformer"):
        raise _bad("config", "the architecture is neither mlp nor transformer")
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise _bad("config", f"the activation is none of {', '.join(ACTIVATIONS)}")
    names, width = _features(given.get("features"))
    heads = given.get("heads", 1)
    if type(heads) is not int or not 1 <= heads <= 64:
        raise _bad("config", "heads is no number from 1 to 64")
    return Config(architecture, names, width, activation, heads)


def _features(given: Any) -> tuple[tuple[str, ...], int]:
    """Names of features, or none, and how many they are."""
    if type(given) is int and 1 <= given <= MAX_FEATURES:
        return (), given
    is_list = isinstance(given, list) and 1 <= len(given) <= MAX_FEATURES
    if is_list and all(isinstance(name, str) for name in given) and len(set(given)) == len(given):
        return tuple(given), len(given)
    raise _bad("config", "features are neither a number nor names, each once")


Built = tuple[int, set[str], int, Callable[[Floats], Floats]]
"""Number of layers, names of the tensors used, the most numbers that a row becomes, and the function."""


def _mlp(config: Config, tensors: Tensors) -> Built:
    """Linear layers with the activation between; the last one has one output."""
    weights: list[tuple[Floats, Floats]] = []
    width, used = config.width, set()
    while f"layers.{len(weights)}.weight" in tensors:
        name = f"layers.{len(weights)}"
        out = _first(tensors[f"{name}.weight"], f"{name}.weight")
        weights.append((take(tensors, f"{name}.weight", (out, width)), take(tensors, f"{name}.bias", (out,))))
        used |= {f"{name}.weight", f"{name}.bias"}
        width = out
    if not 1 <= len(weights) <= MAX_LAYERS or width != 1:
        raise _bad("layers", f"it has {len(weights)} layers that end in {width} values; the last must end in one")
    activate = ACTIVATIONS[config.activation]

    def forward(x: Floats) -> Floats:
        for place, (weight, bias) in enumerate(weights):
            x = x @ weight.T + bias
            x = activate(x) if place < len(weights) - 1 else x
        return x[:, 0]

    return len(weights), used, max(max(weight.shape) for weight, _ in weights), forward


def _transformer(config: Config, tensors: Tensors) -> Built:
    """A token for each feature, its value times a vector of its own plus another; layers; their mean; one value."""
    if config.width > MAX_TOKENS:
        raise _bad("features", f"a transformer reads at most {MAX_TOKENS} features, each is a token")
    width = tensors["tokens.weight"].shape[-1] if "tokens.weight" in tensors and tensors["tokens.weight"].ndim else 0
    if not 1 <= width <= MAX_WIDTH or width % config.heads:
        raise _bad("heads", f"tokens have the width {width}, which {config.heads} heads do not share evenly")
    taken = _Taken(tensors)
    scale, shift = (taken(f"tokens.{kind}", config.width, width) for kind in ("weight", "bias"))
    layers: list[Callable[[Floats], Floats]] = []
    while f"layers.{len(layers)}.linear1.weight" in tensors and len(layers) < MAX_LAYERS:
        layers.append(_encoder(taken, f"layers.{len(layers)}.", width, config))
    gain, offset = taken("norm.weight", width), taken("norm.bias", width)
    weight, bias = taken("head.weight", 1, width), taken("head.bias", 1)

    def forward(x_NW: Floats) -> Floats:
        x = x_NW[:, :, None] * scale + shift
        for layer in layers:
            x = layer(x)
        return np.asarray((_norm(x.mean(axis=1), gain, offset) @ weight.T + bias)[:, 0])

    widest = config.width * max(3 * width, config.heads * config.width)
    return len(layers), taken.used, widest, forward


class _Taken:
    """Takes tensors and keeps their names."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors, self.used = tensors, set[str]()

    def __call__(self, name: str, *shape: int) -> Floats:
        self.used.add(name)
        return take(self.tensors, name, shape)


def _encoder(taken: _Taken, name: str, width: int, config: Config) -> Callable[[Floats], Floats]:
    """One layer: attention, then two linear layers, each after a norm and beside what came in."""
    inner = _first(taken.tensors[f"{name}linear1.weight"], f"{name}linear1.weight")
    norms = [(taken(f"{name}norm{k}.weight", width), taken(f"{name}norm{k}.bias", width)) for k in (1, 2)]
    inward = (
        taken(f"{name}self_attn.in_proj_weight", 3 * width, width),
        taken(f"{name}self_attn.in_proj_bias", 3 * width),
    )
    outward = taken(f"{name}self_attn.out_proj.weight", width, width), taken(f"{name}self_attn.out_proj.bias", width)
    first = taken(f"{name}linear1.weight", inner, width), taken(f"{name}linear1.bias", inner)
    second = taken(f"{name}linear2.weight", width, inner), taken(f"{name}linear2.bias", width)
    activate = ACTIVATIONS[config.activation]

    def forward(x: Floats) -> Floats:
        mixed = _attend(_norm(x, *norms[0]) @ inward[0].T + inward[1], config.heads)
        x = x + mixed @ outward[0].T + outward[1]
        hidden = activate(_norm(x, *norms[1]) @ first[0].T + first[1])
        return np.asarray(x + hidden @ second[0].T + second[1])

    return forward


def _attend(projected: Floats, heads: int) -> Floats:
    """Scaled dot-product attention of each row's tokens to each other (N x W x D)."""
    rows, tokens, triple = projected.shape
    width = triple // 3
    split = projected.reshape(rows, tokens, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
    scores = split[0] @ split[1].transpose(0, 1, 3, 2) / np.sqrt(width // heads)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = shares / shares.sum(axis=-1, keepdims=True) @ split[2]
    return np.asarray(mixed.transpose(0, 2, 1, 3).reshape(rows, tokens, width))


def _norm(x: Floats, gain: Floats, offset: Floats) -> Floats:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + NORM_EPSILON)
    return np.asarray(centred / spread * gain + offset)


def _first(tensor: NDArray[Any], name: str) -> int:
    """Outputs of a linear layer's weight."""
    if tensor.ndim != 2 or not 1 <= tensor.shape[0] <= MAX_WIDTH:
        raise _bad("tensor_shape", f"{name} has the shape {tensor.shape}, expected up to {MAX_WIDTH:,} rows of inputs")
    return int(tensor.shape[0])


def _json(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _bad("json", f"{what} is no JSON, or names a key twice") from None
    if not isinstance(found, dict):
        raise _bad("json", f"{what} is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _bad(code: str, message: str) -> BadModel:
    hint = "save it with safetensors.torch.save_file and the metadata of the docs (Hosted models)"
    return BadModel(Fault(code, f"the safetensors file cannot be taken: {message}", hint))
