"""How likely each regime is in the rounds of a support and of its queries, for selectors that learn from episodes.

Shape suffixes: Q query rounds, R support rounds, K regimes, T eras and rounds so far, E contexts to ask in, C columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.regimes.filters import fit_hmm
from tournament.regimes.model import RegimeModel
from tournament.regimes.names import regime_names
from tournament.selectors.protocol import Floats, History, Query

REGIMES = 4
MIN_CONTEXTS = 30
PREFIX = "weather_"


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Filtered probabilities of the regimes: each row reads contexts up to its own only."""

    query_QK: Floats
    support_RK: Floats

    def alike(self) -> Floats:
        """Probability that a query round and a support round share their regime (Q x R)."""
        return self.query_QK @ self.support_RK.T


def fit_weather(history: History, *, seed: int) -> dict[str, NDArray[Any]]:
    """Arrays of a regime model of the contexts so far; none while they are too few or empty."""
    if not history.tells_weather(least=MIN_CONTEXTS):
        return {}
    return fit_hmm(history.contexts(), history.context_names, regimes=REGIMES, seed=seed).to_arrays(PREFIX)


def beliefs_in_training(arrays: dict[str, NDArray[Any]], history: History, rows: NDArray[np.intp]) -> Beliefs:
    """Beliefs when the queries are rounds (`rows`) of the history itself."""
    support_RK = _filtered(arrays, history.contexts())[len(history.contexts()) - len(history) :]
    return Beliefs(support_RK[rows], support_RK)


def beliefs_at_query(arrays: dict[str, NDArray[Any]], support: History, query: Query) -> Beliefs:
    """Beliefs at one query that follows the support."""
    all_TK = _filtered(arrays, np.vstack([support.contexts(), query.context_K[None]]))
    return Beliefs(all_TK[-1:], all_TK[len(all_TK) - 1 - len(support) : -1])


def beliefs_in_contexts(arrays: dict[str, NDArray[Any]], support: History, context_EC: Floats) -> Beliefs:
    """Beliefs at one query that follows the support, had it opened in each of these contexts."""
    past_TK = _filtered(arrays, support.contexts())
    support_RK = past_TK[len(past_TK) - len(support) :]
    if not arrays:
        return Beliefs(np.ones((len(context_EC), 1)), support_RK)
    return Beliefs(RegimeModel.from_arrays(arrays, PREFIX).filtered_after(past_TK, context_EC), support_RK)


def named(arrays: dict[str, NDArray[Any]], support: History) -> tuple[str, ...]:
    """Names of the regimes."""
    return regime_names(RegimeModel.from_arrays(arrays, PREFIX), support.context_names)


def _filtered(arrays: dict[str, NDArray[Any]], context_TK: Floats) -> Floats:
    if not arrays:
        return np.ones((len(context_TK), 1))
    return RegimeModel.from_arrays(arrays, PREFIX).filtered(context_TK)
