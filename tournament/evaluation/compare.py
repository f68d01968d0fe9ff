"""Differences between selectors, with standard errors that know that targets overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.scoring.reputation import standard_errors
from tournament.selectors.protocol import Floats


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean paired difference per round, its standard error, and over how many rounds."""

    mean: float
    standard_error: float
    rounds: int

    @property
    def is_positive(self) -> bool:
        """Whether the gain is positive beyond its standard error."""
        return self.rounds > 1 and self.mean > self.standard_error


def paired(ours_R: Floats, theirs_R: Floats, *, overlap: int) -> Difference:
    """Ours less theirs over the rounds that both have; Newey-West standard error of lag overlap - 1."""
    difference = ours_R - theirs_R
    difference = difference[np.isfinite(difference)]
    if len(difference) < 2:
        return Difference(float("nan"), float("nan"), len(difference))
    error = float(standard_errors(difference[:, None], overlap=overlap)[0])
    return Difference(float(difference.mean()), error, len(difference))


def mean_and_error(values_R: Floats, *, overlap: int) -> Difference:
    """Mean of one series with the same standard error."""
    return paired(values_R, np.zeros_like(values_R), overlap=overlap)
