"""What a predictor is shown and what it must answer. Shape suffixes: N rows of a cross-section, F features."""

from __future__ import annotations

from typing import Protocol

from numpy import int8
from numpy.typing import NDArray

from tournament.predictors.eras import Eras, Floats
from tournament.selectors.protocol import State


class Predictor(Protocol):
    """Ranks the rows of a cross-section by their features; higher values mean a higher expected target."""

    @property
    def name(self) -> str:
        """The family."""

    @property
    def support(self) -> int:
        """How many of the newest resolved eras `adapt` reads; 0: it changes nothing."""

    def train(self, eras: Eras, *, seed: int) -> State:
        """Learn from eras whose targets are all known now. Raises BadInput when they are too few."""

    def adapt(self, state: State, newest: Eras) -> State:
        """Take in the newest resolved eras (at most `support`), always from what training learned; pure."""

    def predict(self, state: State, features_NF: NDArray[int8]) -> Floats:
        """Values of the rows (N), each finite. Raises BadInput when the features are not those learned from."""
