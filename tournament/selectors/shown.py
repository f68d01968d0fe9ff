"""What a trained selector showed on the rounds of its training, for the live record to be held against.

Shape suffix: R rounds. A state's config keeps `shown`: by kind of rounds the mean gain over equal weight in linear
corr, its standard error over the overlap of the targets, and the number of rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tournament.scoring.reputation import standard_errors
from tournament.selectors.protocol import Floats, History

FITTED, HELD_OUT = "fitted", "held out"
"""Rounds that the parameters were fitted on; later rounds that only said when to stop."""


def shown(gain_R: Floats, history: History) -> dict[str, Any]:
    """Mean, error and number of the gains of consecutive rounds."""
    found = gain_R[np.isfinite(gain_R)]
    if len(found) < 2:
        return {"mean": None, "error": None, "rounds": len(found)}
    error = float(standard_errors(found[:, None], overlap=overlap(history))[0])
    return {"mean": float(found.mean()), "error": error, "rounds": len(found)}


def overlap(history: History) -> int:
    """How many rounds open, one's own among them, before its target is known (the median over rounds)."""
    opened_R = np.searchsorted(history.opens_at_R, history.resolves_at_R, side="left")
    # of the last rounds it is not known how many more would open
    ended_R = opened_R < len(history)
    waits_R = (opened_R - np.arange(len(history)))[ended_R]
    return max(1, int(np.median(waits_R))) if len(waits_R) else 1
