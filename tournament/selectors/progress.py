"""What a training may be given beside its budget: a place where its progress outlives it, and peers to share the work.

Both are made by whoever starts the training; the core touches no file, no database and no other process by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Progress(Protocol):
    """Where one training keeps how far it has come."""

    def load(self) -> bytes | None:
        """What an earlier attempt at the same training saved last; None where there was none."""

    def save(self, data: bytes) -> None:
        """Keep this in the place of what was kept before."""


class Peers(Protocol):
    """Processes that train the same network together, each on its share of every batch; all must ask in step."""

    @property
    def rank(self) -> int:
        """This one's number, from 0."""

    @property
    def size(self) -> int:
        """How many there are."""

    def average(self, tensors: Sequence[Any]) -> None:
        """Put the mean over all peers in the place of each tensor."""

    def told(self, data: bytes | None) -> bytes | None:
        """What peer 0 says, on every peer; the others' own word counts for nothing."""
