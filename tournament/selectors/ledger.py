"""Rounds in the order a live learner meets them: weighed when they open, learned from when they resolve.

Shape suffixes: P open rounds, S sets of weights, M models. A learner that meets its rounds in this order cannot read a
score before its time, and learns from each with the weights that were in force when the round opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.protocol import Floats, History

PREFIX = "ledger_"


class Learner(Protocol):
    """What a ledger leads through the rounds of a history."""

    def open(self, row: int) -> Floats:
        """Weights (S x M) in force when round `row` opens."""

    def resolve(self, row: int, weights_SM: Floats) -> None:
        """Learn from the scores of round `row`, given the weights it opened with."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """How far a learner has come: rounds met, and those of them that wait for their scores with their weights."""

    models: tuple[str, ...] = ()
    opened: int = 0
    """How many rounds of the history have been met."""
    last_opens_at: int = -(2**62)
    """When the last of them opened, in seconds."""
    waiting_P: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Rows of the rounds that wait."""
    weights_PSM: Floats = field(default_factory=lambda: np.zeros((0, 1, 0)))
    last_row: int = -1
    """Row of the round learned from last, -1 for none, and its scores: by them the ledger knows its history again."""
    last_scores_M: Floats = field(default_factory=lambda: np.zeros(0))

    def continues(self, support: History) -> bool:
        """Whether `support` is the history this ledger was kept of, further on; its models may stand in any order."""
        if not 0 < self.opened <= len(support) or not set(self.models) <= set(support.models):
            return False
        if _seconds(support)[self.opened - 1] != self.last_opens_at:
            return False
        scores_M = support.scores_RM[self.last_row] if self.last_row >= 0 else np.zeros(len(support.models))
        kept_M = placed(self.last_scores_M, self.models, support.models, empty=np.nan)
        return self.last_row < 0 or np.array_equal(kept_M, scores_M, equal_nan=True)

    def first_row_after(self, support: History) -> int:
        """The first round of any history that opens after all that the ledger has met."""
        return int(np.searchsorted(_seconds(support), self.last_opens_at, side="right"))

    def in_places_of(self, models: tuple[str, ...]) -> Ledger:
        """The same ledger with its models in the places of `models`, which holds all of them."""
        return replace(
            self, models=models, weights_PSM=placed(self.weights_PSM, self.models, models, empty=0.0),
            last_scores_M=placed(self.last_scores_M, self.models, models, empty=np.nan),
        )  # fmt: skip

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays."""
        return {
            PREFIX + "models": np.frombuffer("\n".join(self.models).encode(), dtype=np.uint8),
            PREFIX + "rows": np.array([self.opened, self.last_opens_at, self.last_row]),
            PREFIX + "waiting_P": self.waiting_P, PREFIX + "weights_PSM": self.weights_PSM,
            PREFIX + "last_scores_M": self.last_scores_M,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Ledger:
        """Read what `to_arrays` gave; a ledger of nothing where it gave nothing."""
        if PREFIX + "rows" not in arrays:
            return cls()
        models = tuple(arrays[PREFIX + "models"].tobytes().decode().split("\n"))
        opened, last_opens_at, last_row = (int(value) for value in arrays[PREFIX + "rows"])
        waiting_P, weights_PSM = arrays[PREFIX + "waiting_P"], arrays[PREFIX + "weights_PSM"]
        return cls(models, opened, last_opens_at, waiting_P, weights_PSM, last_row, arrays[PREFIX + "last_scores_M"])


def placed(values: Floats, before: tuple[str, ...], after: tuple[str, ...], *, empty: float) -> Floats:
    """Values (... x models before) in the places of the models after; `empty` for those that were not there."""
    if before == after:
        return values
    place = {name: column for column, name in enumerate(after)}
    out = np.full((*values.shape[:-1], len(after)), empty)
    out[..., [place[name] for name in before]] = values
    return out


def meet(support: History, ledger: Ledger, learner: Learner) -> Ledger:
    """Lead the learner through what the ledger has not met yet, all of which must be known now."""
    ledger = ledger.in_places_of(support.models)
    waiting = dict(zip(ledger.waiting_P.tolist(), ledger.weights_PSM, strict=True))
    scored_R, last_row = np.asarray(np.isfinite(support.scores_RM).any(axis=1)), ledger.last_row
    for row in range(ledger.opened, len(support)):
        over = [one for one in waiting if support.resolves_at_R[one] <= support.opens_at_R[row]]
        last_row = _learn(support, [one for one in over if scored_R[one]], waiting, learner, last_row)
        for one in over:  # a round that is over without a score will have none
            waiting.pop(one, None)
        if support.active_RM[row].any():
            waiting[row] = learner.open(row)
    last_row = _learn(support, [one for one in waiting if scored_R[one]], waiting, learner, last_row)
    weights = np.array(list(waiting.values())) if waiting else np.zeros((0, 1, len(support.models)))
    last_scores_M = support.scores_RM[last_row] if last_row >= 0 else np.zeros(len(support.models))
    last_opens_at = int(_seconds(support)[-1]) if len(support) else ledger.last_opens_at
    waiting_P = np.array(list(waiting), dtype=np.int64)
    return Ledger(support.models, len(support), last_opens_at, waiting_P, weights, last_row, last_scores_M)


def _seconds(support: History) -> NDArray[np.int64]:
    return support.opens_at_R.astype("datetime64[s]").astype(np.int64)


def _learn(
    support: History, rows: list[int], waiting: dict[int, Floats], learner: Learner, last_row: int
) -> int:  # fmt: skip
    """Let rows be learned from in the order in which they resolved; gives the last."""
    for row in sorted(rows, key=lambda one: (support.resolves_at_R[one], one)):
        learner.resolve(row, waiting.pop(row))
        last_row = row
    return last_row
