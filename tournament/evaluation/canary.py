"""The leak canary: what a selector would seem to earn if scores were shown before their targets have ended.

An honest harness must not reach the canary's figure. Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tournament.evaluation.gains import Gain, gain
from tournament.evaluation.walk_forward import walk_forward
from tournament.selectors.allocator import best_blend
from tournament.selectors.explanation.explained import Explained
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights


@dataclass(frozen=True)
class Follower(Explained):
    """Weighs by the newest scores alone: a poor selector that profits most from scores it should not see."""

    name: str = "follower"
    reads_context = False

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Nothing is learned."""
        return State(self.name)

    def adapt(self, state: State, support: History) -> State:
        """Keep the newest round that has scores."""
        return state.adapted(support.take(support.resolved_rows()[-1:]))

    def weigh(self, state: State, query: Query) -> Floats:
        """The best blend if scores stay as they were."""
        if state.support is None or not len(state.support):
            return equal_weights(query.active_M)
        scores_M = np.nan_to_num(state.support.scores_RM[-1])
        return best_blend(scores_M, query.correlations_MM, query.active_M)


def without_embargo(history: History) -> History:
    """The same tournament whose scores are shown when the next round opens, their targets still running."""
    shown_at_R = np.append(history.opens_at_R[1:], history.resolves_at_R[-1:])
    return replace(history, resolves_at_R=np.minimum(history.resolves_at_R, shown_at_R))


def false_gain(history: History, *, warmup: int, block: int, seed: int = 0) -> Gain:
    """Gain in corr of the follower that ignores the embargo over the honest one."""
    leaking, honest = (
        walk_forward(past, Follower(), warmup=warmup, retrain_every=len(history), seed=seed).corr(history)
        for past in (without_embargo(history), history)
    )
    return gain(leaking, honest, block=block, seed=seed)
