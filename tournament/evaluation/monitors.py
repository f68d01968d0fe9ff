"""Whether a selector keeps what its record promised: drift of its live corr, and the gap to what it showed in training.

Shape suffix: R rounds in the order of their resolution. Targets overlap, so that corrs of near rounds share noise: all
errors here are of the long run (Newey-West over the overlap), in the place of the errors of independent rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tournament.evaluation.compare import Difference, mean_and_error
from tournament.selectors.protocol import Floats

ALLOWANCE = 0.25
"""What a round may fall below the expectation, in deviations, and add nothing. Source: Page 1954, section 3."""
LIMIT = 15.0
"""Of the summed falls. In 100 rounds whose targets overlap by four, a champion that keeps its mean passes it with a
chance of 14 % after 40 rounds of record (6 % after 100, 23 % after 25); one that has lost a corr of 0.03 at a noise of
0.05 does with 65 %, one whose corr has turned to -0.03 with 97 % (400 and 200 drawn courses; without overlap 4 % and
86 %, 100 %)."""
LEAST_BEFORE = 20
"""Rounds of record without which there is no expectation."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A champion's live corr beside what its record before had promised."""

    expected: Difference
    live: Difference
    fall_R: Floats
    """Summed falls below the expectation after each live round, in long-run deviations, never below zero."""

    @property
    def fall(self) -> float:
        """The summed falls now."""
        return float(self.fall_R[-1])

    @property
    def has_drifted(self) -> bool:
        """Whether they have passed the limit by now."""
        return self.fall > LIMIT

    @property
    def deviations(self) -> float:
        """Live less expected mean in standard errors of their difference; NaN with fewer than two rounds."""
        return (self.live.mean - self.expected.mean) / math.hypot(
            self.live.standard_error, self.expected.standard_error
        )


def drift(before_R: Floats, live_R: Floats, *, overlap: int) -> Drift | None:
    """The record before the lead against the rounds since; None while either is too short to say anything.

    What led was chosen as the best of several, so its record flatters it: a small fall is to be expected.
    """
    before_R, live_R = before_R[np.isfinite(before_R)], live_R[np.isfinite(live_R)]
    if len(before_R) < LEAST_BEFORE or not len(live_R):
        return None
    expected = mean_and_error(before_R, overlap=overlap)
    deviation = max(expected.standard_error * math.sqrt(len(before_R)), float(before_R.std(ddof=1)), 1e-12)
    return Drift(expected, mean_and_error(live_R, overlap=overlap), summed_falls(before_R, live_R, deviation))


def summed_falls(before_R: Floats, live_R: Floats, deviation: float) -> Floats:
    """max(0, S + (expected - corr) / deviation - allowance), round by round."""
    total, out = 0.0, np.zeros(len(live_R))
    for place, below in enumerate((before_R.mean() - live_R) / deviation):
        total = max(0.0, total + float(below) - ALLOWANCE)
        out[place] = total
    return out


@dataclass(frozen=True, slots=True)
class Gap:
    """How much less a trained selector gains over equal weight live than in its training."""

    trained: Difference
    live: Difference

    @property
    def mean(self) -> float:
        """Gain in training less gain live."""
        return self.trained.mean - self.live.mean

    @property
    def standard_error(self) -> float:
        """Of the gap, as if both gains were independent."""
        return math.hypot(self.trained.standard_error, self.live.standard_error)

    @property
    def is_overfitted(self) -> bool:
        """Whether the gap is above zero beyond two standard errors."""
        return self.live.rounds > 1 and self.mean > 2.0 * self.standard_error
