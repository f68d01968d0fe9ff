"""A model that was read and checked: what it wants to see, and its answer for a cross-section.

Shape suffixes: N rows of one era, F features of the tournament, W features that the model reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault, counted
from tournament.hosted.formats import Format, recognise

Single = NDArray[np.float32]
READERS = {
    Format.LIGHTGBM: "lightgbm_text", Format.ONNX: "onnx_graph", Format.SAFETENSORS: "network",
    Format.SKOPS: "linear",
}  # fmt: skip
SHOWN = 3


class HostedModel(Protocol):
    """What every reader returns."""

    @property
    def names(self) -> tuple[str, ...]:
        """Features by name in the order in which the model reads them; empty: it reads them by place."""

    @property
    def width(self) -> int:
        """How many features it reads."""

    @property
    def about(self) -> str:
        """A few words for the log: `LightGBM, 80 trees`."""

    def values(self, features_NW: Single) -> NDArray[np.floating]:
        """Its values of the rows (N or N x 1). Raises BadModel when its library refuses."""


def read(data: bytes) -> HostedModel:
    """The model in a file, checked to the last number. Raises BadModel.

    Only for a process that has nothing to lose: files of some formats go to libraries written in C++.
    """
    module = import_module(f"tournament.hosted.{READERS[recognise(data)]}")  # by name: each loads a library of its own
    return module.read(data)  # type: ignore[no-any-return]


def columns(model: HostedModel, features: Sequence[str]) -> NDArray[np.intp]:
    """Places of the model's features among the tournament's (W). Raises BadModel when they do not fit."""
    if model.names:
        place_of = {name: place for place, name in enumerate(features)}
        missing = [name for name in model.names if name not in place_of]
        if missing:
            found = counted(len(missing), "feature is", "features are", of=len(model.names))
            hint = "train on the features of features.json, under their names"
            raise BadModel(
                Fault("unknown_feature", f"{found} not the tournament's", hint, tuple(n[:60] for n in missing[:SHOWN]))
            )
        return np.array([place_of[name] for name in model.names], dtype=np.intp)
    if model.width != len(features):
        message = f"the model reads {model.width:,} features, the tournament has {len(features):,}"
        raise BadModel(Fault("width", message, "train on all features of features.json, in their order"))
    return np.arange(len(features), dtype=np.intp)


def answer(model: HostedModel, features_NW: Single) -> Single:
    """The model's values of one cross-section (N, float32, finite). Raises BadModel when it gives anything else."""
    values = np.asarray(model.values(features_NW))
    if values.shape not in ((len(features_NW),), (len(features_NW), 1)):
        message = f"the answer has the shape {values.shape}, expected one value for each of {len(features_NW)} rows"
        raise BadModel(Fault("answer_shape", message, "let the model give one number a row"))
    with np.errstate(over="ignore"):
        single = values.reshape(len(features_NW)).astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(single))
    if wrong.size:
        message = counted(wrong.size, "value is", "values are", of=len(single)) + " missing or infinite"
        raise BadModel(Fault("answer_infinite", message, "let the model answer every row with a finite number"))
    return single


def answer_eras(
    model: HostedModel, features_NF: NDArray[np.generic], names: Sequence[str], ends: Sequence[int]
) -> Iterator[Single]:
    """The model's answer to one cross-section after the other, as in rounds; era e has the rows up to `ends[e]`.

    What one row gets never hangs on another era. Raises BadModel.
    """
    places = columns(model, names)
    for start, end in zip((0, *ends[:-1]), ends, strict=True):
        yield answer(model, features_NF[start:end, places].astype(np.float32))


def prepare(form: Format) -> None:
    """Load the library that reads a format and let it answer once: what it puts off till then, it asks for now."""
    import_module(f"tournament.hosted.{READERS[form]}").prepare()
