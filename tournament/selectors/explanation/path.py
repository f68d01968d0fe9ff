"""Which context variable moved the weights: a walk from the average context to the round's own, one variable a step.

Shape suffixes: E contexts to ask in, P walks, C context columns, S stops of a walk, M models. On a walk every variable
in its turn takes the value it has; the change of the weights at its step is its share, and the shares of a walk sum to
the whole change exactly, however bent the selector is. Walks come in pairs, one the other backwards, so that two
variables that act together share what they do together. Source: Shapley values with the average context as baseline
(Sundararajan and Najmi 2020, section 3) by antithetic orders (Mitchell et al. 2022, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.explanation.record import Movement
from tournament.selectors.protocol import Floats, History, Query


@dataclass(frozen=True, slots=True)
class Walks:
    """Contexts to ask in: the round's own first, the average one second, then the stops between, walk by walk."""

    names: tuple[str, ...]
    context_EC: Floats
    turn_PC: NDArray[np.intp]
    """At which step of each walk each variable moves."""
    spread_C: Floats

    def movement(self, weights_EM: Floats) -> Movement:
        """What each variable moved, from the weights in each of the contexts."""
        walks, columns = self.turn_PC.shape
        between = weights_EM[2:].reshape(walks, columns - 1, -1)
        ends = np.broadcast_to(weights_EM[:2, None, None], (2, walks, 1, weights_EM.shape[1]))
        step_PCM = np.diff(np.concatenate([ends[1], between, ends[0]], axis=1), axis=1)
        by_column_PCM = np.take_along_axis(step_PCM, self.turn_PC[..., None], axis=1)
        return Movement(self.names, self.spread_C, by_column_PCM.mean(axis=0))


def walks(query: Query, support: History, *, pairs: int = 1) -> Walks | None:
    """Walks from the mean context of the support's rounds; None where the support or the context is empty.

    The first pair goes by the variables' names; further ones are drawn, always the same.
    """
    if not len(support) or not len(query.context_K):
        return None
    average_C, deviation_C = _moments(support.context_RK)
    average_C = np.where(np.isfinite(average_C), average_C, query.context_K)
    turn_PC = _turns(support.context_names, pairs)
    stop_S = np.arange(1, len(average_C))
    moved_PSC = turn_PC[:, None, :] < stop_S[:, None]
    between = np.where(moved_PSC, query.context_K, average_C).reshape(-1, len(average_C))
    spread_C = (query.context_K - average_C) / deviation_C
    return Walks(support.context_names, np.vstack([query.context_K, average_C, between]), turn_PC, spread_C)


def _moments(context_RC: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column over the rounds where it is known; NaN where it never is."""
    known_RC = np.isfinite(context_RC)
    count_C = known_RC.sum(axis=0).astype(float)
    count_C[count_C == 0] = np.nan
    mean_C = np.where(known_RC, context_RC, 0.0).sum(axis=0) / count_C
    variance_C = np.where(known_RC, (context_RC - mean_C) ** 2, 0.0).sum(axis=0) / count_C
    return mean_C, np.sqrt(variance_C) + 1e-12


def _turns(names: tuple[str, ...], pairs: int) -> NDArray[np.intp]:
    """Step at which each variable moves (P x C), each walk followed by the same one backwards."""
    by_name = np.argsort(np.argsort(np.array(names)))
    drawn = np.random.default_rng(0).permuted(np.tile(by_name, (pairs - 1, 1)), axis=1)
    there = np.vstack([by_name[None], drawn])
    return np.stack([there, len(names) - 1 - there], axis=1).reshape(2 * pairs, -1)
