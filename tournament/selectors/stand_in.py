"""Who answers where the champion should not: a committee of blends on record, at no cost but their weighted mean.

Shape suffixes: S members, M models. The members' weights for the round are there already, and so are the corrs of their
blends in past rounds; fixed share over those says how much each counts. As in the committee of the evaluation
(committee.py), which leads its members through the past itself, equal weight is a member and stake weight is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.selectors.explanation.explained import Explained
from tournament.selectors.protocol import Floats, Query, State, on_simplex

NAME = "committee"


@dataclass(frozen=True)
class StandIn(Explained):
    """Share-weighted mean of what its members gave; the market at hand does not move the shares."""

    weights_SM: Floats
    share_S: Floats
    name: str = NAME
    reads_context = False

    def weigh(self, state: State, query: Query) -> Floats:
        """The mean; were a model absent, the others keep their proportions."""
        return on_simplex(np.asarray(self.share_S @ self.weights_SM), query.active_M)
