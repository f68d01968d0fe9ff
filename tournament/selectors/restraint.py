"""From the weights that a selector gives to those that the meta-model is made of: held back, and capped by contributor.

Shape suffix: M models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.allocator import RIDGE, among, best_blend, capped, copies, known
from tournament.selectors.duplicates import Groups
from tournament.selectors.protocol import Floats, Query


def restrained(
    weights_M: Floats, query: Query, previous_M: Floats | None, owner_M: NDArray[np.intp], *, stickiness: float,
    cap: float, groups: Groups | None = None,
) -> Floats:  # fmt: skip
    """The weights drawn to those before by `stickiness`, then no contributor above `cap` in sum; 0 and 1: as given.

    With `groups` all weights given are those of their speakers; they are shared out before the cap is held.
    """
    if stickiness > 0 and previous_M is not None:
        weights_M = held_back(weights_M, query, previous_M, stickiness)
    weights_M = weights_M if groups is None else groups.shared(weights_M)
    return capped(weights_M, owner_M, cap) if cap < 1 else weights_M


def held_back(weights_M: Floats, query: Query, previous_M: Floats, stickiness: float) -> Floats:
    """The allocator's answer with a penalty on changes, whoever gave the weights.

    The scores that would make the allocator choose these weights are those in proportion to (C + lambda K)w; with them
    it is asked again, its penalty on. So weight moves least where a change buys least corr. Source: ours; reading
    expectations off weights is reverse optimization (Black and Litterman 1992).
    """
    correlations, active_M = known(query.correlations_MM), query.active_M
    implied_M = np.full(len(weights_M), np.nan)
    chosen = np.flatnonzero(active_M)
    alike, weights_C = among(correlations, chosen), weights_M[chosen]
    implied_M[chosen] = alike @ weights_C + RIDGE * copies(alike, np.ones(len(chosen), dtype=bool)) * weights_C
    return best_blend(
        implied_M, correlations, active_M, ridge=RIDGE, previous_M=previous_M * active_M, stickiness=stickiness
    )
