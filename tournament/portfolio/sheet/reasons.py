"""Why the largest position of a book weighs what it weighs, for the sheet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tournament.errors import Infeasible
from tournament.portfolio.explanation import explain
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.premises import Premises


def waterfall_of(premises: Premises | None) -> tuple[str, Mapping[str, float]] | None:
    """The asset and the parts of its marginal gain, which sum to zero; None for a book that cannot be solved again."""
    if premises is None:
        return None
    try:
        explained = explain(solve(premises.problem()))
    except (NotConverged, Infeasible):
        return None
    place = int(np.argmax(np.abs(explained.weights_N)))
    return premises.ids[place], {name: value for name, value in explained.marginal(place).items() if value}
