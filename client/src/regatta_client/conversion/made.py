"""What a converter makes, before it is held against the model that it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tournament.hosted.formats import Format


@dataclass(frozen=True, slots=True)
class Made:
    """A file's bytes; how many features it reads; the model's own prediction; names of the features, if it has them."""

    data: bytes
    format: Format
    width: int
    native: Callable[[Any], Any]
    names: tuple[str, ...]
    """Empty where the file itself keeps the names, or there are none."""
