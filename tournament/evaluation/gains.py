"""What one selector gains over another: how much, how surely, and how long one must sail to see it.

Shape suffixes: R rounds. Differences are paired, round by round; errors are block-bootstrap, because targets overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tournament.evaluation.statistics import bootstrap_means
from tournament.selectors.protocol import Floats

SIGMAS = 2.0
"""Standard errors beyond which a difference counts as seen."""
POWERED = SIGMAS + 0.8416
"""Standard errors that a true difference must measure to be seen with 80 % power: its estimate scatters by one of them,
and 0.8416 is the 80th percentile of the normal distribution. At two of them a half of all studies would miss it."""


class Verdict(StrEnum):
    """Whether a selector does harm against another: one-sided, at two standard errors."""

    NO_HARM = "no harm shown"
    HARM = "harm"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean paired difference in corr a round with its standard error and 95 % interval; NaN below two rounds."""

    mean: float
    standard_error: float
    low: float
    high: float
    rounds: int

    @property
    def verdict(self) -> Verdict:
        """No harm: the mean less two standard errors is not below zero. Harm: the mean and two more still are."""
        if self.mean - SIGMAS * self.standard_error >= 0:
            return Verdict.NO_HARM
        return Verdict.HARM if self.mean + SIGMAS * self.standard_error < 0 else Verdict.UNKNOWN

    @property
    def largest_loss(self) -> float:
        """The largest mean loss a round that two standard errors do not exclude; 0 where no harm is shown."""
        return float(np.maximum(0.0, SIGMAS * self.standard_error - self.mean))

    @property
    def noise(self) -> float:
        """Standard deviation of one round's difference in the long run, overlap counted: error x sqrt(rounds)."""
        return self.standard_error * float(np.sqrt(self.rounds))

    @property
    def rounds_to_see(self) -> float:
        """Rounds that would show this mean, were it the true one, at two errors with 80 % power; NaN for no mean."""
        return float(np.ceil((POWERED * self.noise / self.mean) ** 2)) if self.mean else float("nan")

    @property
    def smallest_visible(self) -> float:
        """The smallest true mean difference that so many rounds show at two standard errors with 80 % power."""
        return POWERED * self.standard_error

    def figures(self) -> dict[str, object]:
        """Plain data for report.json."""
        return {
            "difference": self.mean, "standard_error": self.standard_error, "interval_95": [self.low, self.high],
            "rounds": self.rounds, "noise_per_round": self.noise, "rounds_to_see": self.rounds_to_see,
            "smallest_visible": self.smallest_visible,
        }  # fmt: skip


def gain(ours_R: Floats, theirs_R: Floats, *, block: int, seed: int) -> Gain:
    """Ours less theirs over the rounds that both have."""
    difference_R = ours_R - theirs_R
    difference_R = difference_R[np.isfinite(difference_R)]
    if len(difference_R) < 2:
        return Gain(np.nan, np.nan, np.nan, np.nan, len(difference_R))
    means = bootstrap_means(difference_R, block=block, seed=seed)
    low, high = np.quantile(means, [0.025, 0.975])
    return Gain(float(difference_R.mean()), float(means.std()), float(low), float(high), len(difference_R))
