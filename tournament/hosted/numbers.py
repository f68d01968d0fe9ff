"""Arrays out of a file's bytes: of known types, of the length that their shape says, finite throughout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault, printable

MAX_AXES, MAX_NUMBERS = 4, 8_000_000


def length_of(shape: Any, name: str) -> int:
    """How many numbers a shape holds. Raises BadModel for one that is none, or holds too many."""
    is_shape = isinstance(shape, Sequence) and not isinstance(shape, str) and len(shape) <= MAX_AXES
    if not is_shape or not all(type(size) is int and 0 <= size <= MAX_NUMBERS for size in shape):
        raise BadModel(Fault("shape", f"{shown(name)} has a shape that is none", "save the weights anew"))
    count = math.prod(shape)
    if count > MAX_NUMBERS:
        message = f"{shown(name)} has {count:,} numbers, at most {MAX_NUMBERS:,} are taken"
        raise BadModel(Fault("too_many_numbers", message, "make the model smaller"))
    return count


def array(data: bytes | memoryview, dtype: str, shape: Sequence[int], name: str) -> NDArray[Any]:
    """The numbers of a tensor. Raises BadModel when their bytes do not fit the shape, or one is not finite."""
    count = length_of(shape, name)
    kind = np.dtype(dtype)
    if len(data) != count * kind.itemsize:
        message = f"{shown(name)} has {len(data):,} bytes where its shape asks for {count * kind.itemsize:,}"
        raise BadModel(Fault("tensor_bytes", message, "save the weights anew"))
    values = np.frombuffer(data, dtype=kind).reshape(tuple(shape))
    if kind.kind == "f" and not np.isfinite(values).all():
        raise BadModel(Fault("not_finite", f"{shown(name)} holds missing or infinite numbers", "train it anew"))
    return values


def take(tensors: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A tensor by name and shape as doubles. Raises BadModel when it is not there or of another shape."""
    if name not in tensors:
        raise BadModel(Fault("missing_tensor", f"there is no tensor {name}", "save the whole state dict"))
    found = tensors[name]
    if found.shape != shape:
        message = f"{name} has the shape {found.shape}, expected {shape}"
        raise BadModel(Fault("tensor_shape", message, "compare the config with the weights"))
    return found.astype(np.float64)


def shown(name: str) -> str:
    """A name of a file's own making, short and printable."""
    return printable(name[:60]) or "a tensor"
