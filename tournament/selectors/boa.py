"""Bernstein online aggregation: exponential weights with a second-order learning rate for each model.

Shape suffixes: R rounds, M models. Source: Wintenberger 2017, section 2 (adaptive rates), with the gradient trick on
the blend's corr; specialists as in Freund et al. 1997: who sleeps neither gains nor loses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.selectors import algebra
from tournament.selectors.duplicates import in_its_time
from tournament.selectors.explanation.explained import Explained
from tournament.selectors.ledger import Ledger, meet, placed
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights, on_simplex

PREFIX = "boa_"
KEPT = ("total_M", "square_M", "range_M", "spoke_M")
SMALLEST = 2.0**-20
"""Least range of a gain; keeps the rate finite for a model whose gains are all zero."""


@dataclass(frozen=True)
class Boa(Explained):
    """Aggregation of the models themselves; all it knows is in the adapted state, which can be adapted further."""

    name: str = "boa"
    reads_context = False

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Nothing is learned ahead."""
        return State(self.name)

    def adapt(self, state: State, support: History) -> State:
        """Meet the rounds since the state was adapted last; all of them where it was adapted on another history."""
        ledger = Ledger.from_arrays(state.arrays)
        fresh = not ledger.continues(support)
        regrets = Regrets.none(support) if fresh else Regrets.from_arrays(state.arrays, ledger.models, support)
        met = meet(support, Ledger() if fresh else ledger, regrets)
        return State(self.name, met.to_arrays() | regrets.to_arrays(), state.config, support)

    def weigh(self, state: State, query: Query) -> Floats:
        """Exponential weights over the models that submitted; new ones enter at the prior."""
        if state.support is None:
            return equal_weights(query.active_M)
        regrets = Regrets.from_arrays(state.arrays, state.support.models, state.support)
        regrets.spoke_M = regrets.spoke_M | query.active_M & (regrets.range_M > 0)
        return on_simplex(regrets.weights(), query.active_M)


@dataclass
class Regrets:
    """What each model has gained beside the blend: the learner that the ledger leads."""

    support: History
    total_M: Floats
    """Sum of gains less their second-order correction."""
    square_M: Floats
    range_M: Floats
    """Least power of two that no gain of the model has passed; 0 for a model never awake."""
    spoke_M: NDArray[np.bool_]
    """Models that stood for themselves in a round so far: those always spoken for by a duplicate count as nobody."""

    @classmethod
    def none(cls, support: History) -> Regrets:
        """No round learned from."""
        total_M, square_M, range_M = np.zeros((3, len(support.models)))
        return cls(support, total_M, square_M, range_M, spoke_M=range_M > 0)

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], models: tuple[str, ...], support: History) -> Regrets:
        """Read what `to_arrays` gave, into the places of the support's models."""
        total_M, square_M, range_M, spoke_M = (
            placed(arrays[PREFIX + name].astype(float), models, support.models, empty=0.0) for name in KEPT
        )
        return cls(support, total_M, square_M, range_M, spoke_M > 0)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays."""
        return {PREFIX + name: getattr(self, name) for name in KEPT}

    @property
    def seen_M(self) -> NDArray[np.bool_]:
        """Models with a score among those that stood for themselves."""
        return self.spoke_M & (self.range_M > 0)

    def rates(self) -> Floats:
        """Learning rate of each model (M): min(1 / range, sqrt(ln N / sum of squares)), N the models seen so far."""
        seen = max(2, int(self.seen_M.sum()))
        by_square_M = np.sqrt(np.log(seen) / np.maximum(self.square_M, SMALLEST**2))
        return np.minimum(1.0 / np.maximum(self.range_M, SMALLEST), by_square_M)

    def weights(self) -> Floats:
        """Weights (M), summing to one over all models, asleep or not; models never awake keep their prior share."""
        seen_M, rate_M = self.seen_M, self.rates()
        if not seen_M.any():
            return np.full(len(seen_M), 1.0 / len(seen_M))
        log_M = np.where(seen_M, np.log(rate_M) + rate_M * self.total_M, -np.inf)
        shares_M = np.exp(log_M - log_M.max())
        return np.where(seen_M, shares_M / shares_M.sum() * seen_M.mean(), 1.0 / len(seen_M))

    def open(self, row: int) -> Floats:
        """Weights (1 x M) over the models that submitted; duplicates share what the one that spoke would get."""
        query, groups = in_its_time(self.support, row)
        self.spoke_M = self.spoke_M | query.active_M
        return groups.shared(on_simplex(self.weights(), query.active_M))[None]

    def resolve(self, row: int, weights_SM: Floats) -> None:
        """Add what the round says of each awake model: its gain to first order, and the square of it."""
        gain_M = gains(self.support, row, weights_SM[0])
        awake_M, size_M = np.isfinite(self.support.scores_RM[row]), np.maximum(np.abs(gain_M), SMALLEST)
        rate_M = self.rates()  # of the rounds before this one, as the theorem wants
        self.range_M = np.where(awake_M, np.maximum(self.range_M, 2.0 ** np.ceil(np.log2(size_M))), self.range_M)
        self.square_M = self.square_M + gain_M**2
        rate_M = np.minimum(rate_M, 1.0 / np.maximum(self.range_M, SMALLEST))
        clipped_M = np.where(-rate_M * gain_M > 0.5, self.range_M, 0.0)
        self.total_M = self.total_M + 0.5 * (gain_M - rate_M * gain_M**2 - clipped_M)


def gains(support: History, row: int, weights_M: Floats) -> Floats:
    """Change of the round's blend corr with each weight (M), zero for the models without a score.

    The gradient is at right angles to the weights (corr is free of their scale): it is already the gain over the blend.
    """
    gain_M, awake_M = np.zeros(len(weights_M)), np.isfinite(support.scores_RM[row])
    correlations = support.correlations_RMM[row][np.ix_(awake_M, awake_M)].astype(float)
    shares = on_simplex(weights_M[awake_M], np.ones(int(awake_M.sum()), dtype=bool))
    gain_M[awake_M] = algebra.gradient(shares, support.scores_RM[row][awake_M], correlations)
    return gain_M
