"""How much of what could be gained a selector gains, in worlds whose truth is known.

Shape suffixes: R rounds, M models. Expected corr is free of the noise of scores, so a few worlds tell much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.protocol import Budget, Floats, History, Selector, equal_weights
from tournament.worlds.oracles import oracle_weights
from tournament.worlds.score_space import ScoreWorld, as_history


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean expected corr of equal weight, of the informed filter, and of selectors by name, in one world."""

    equal: float
    informed: float
    by_selector: dict[str, float]

    def share(self, name: str) -> float:
        """Share of the informed filter's gain over equal weight that a selector reaches."""
        return (self.by_selector[name] - self.equal) / (self.informed - self.equal)


def judge(
    world: ScoreWorld, informed_RM: Floats, selectors: dict[str, Selector], rows: NDArray[np.intp], *, seed: int = 0
) -> Verdict:
    """Train each selector once on what was known at the first of `rows`, lead it through them, and compare."""
    past = as_history(world)
    equal_RM = np.stack([equal_weights(active) for active in world.active_RM])
    return Verdict(
        float(world.blend_corr(equal_RM)[rows].mean()),
        float(world.blend_corr(oracle_weights(world, informed_RM, rows))[rows].mean()),
        {name: float(_led(world, past, one, rows, seed)) for name, one in selectors.items()},
    )


def _led(world: ScoreWorld, past: History, selector: Selector, rows: NDArray[np.intp], seed: int) -> float:
    weights_RM = np.full(world.scores_RM.shape, np.nan)
    state = selector.meta_train([past.known_at(past.opens_at_R[rows[0]])], Budget(seed=seed))
    for row in rows:
        state = selector.adapt(state, past.known_at(past.opens_at_R[row]))
        weights_RM[row] = selector.weights(state, past.query(int(row)))
    return float(world.blend_corr(weights_RM)[rows].mean())
