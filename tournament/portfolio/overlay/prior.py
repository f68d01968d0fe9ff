"""What other strategies, other times and simulated worlds say of a setting before the strategy itself has spoken.

Shape suffixes: J settings, K tasks. A task is one strategy in one stretch of years, or one world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tournament.portfolio.overlay.evidence import Estimate, Evidence, estimated
from tournament.portfolio.overlay.settings import Floats

STRETCH = 20
"""Batches of one task: five years."""
SMALLEST_ERROR = 1e-3


@dataclass(frozen=True, slots=True)
class Prior:
    """Gain that is expected of each setting on a new strategy, and its standard deviation among strategies (J)."""

    gain_J: Floats
    spread_J: Floats
    tasks: int

    @classmethod
    def unknown(cls, settings: int) -> Prior:
        """Nothing is known: only a strategy's own evidence counts."""
        return cls(np.zeros(settings), np.full(settings, np.inf), 0)

    @classmethod
    def of(cls, gains: Sequence[tuple[float, float]], *, tasks: int) -> Prior:
        """Of pairs of gain and spread."""
        return cls(np.array([gain for gain, _ in gains]), np.array([spread for _, spread in gains]), tasks)


def learned_prior(tasks: Estimate) -> Prior:
    """Random-effects mean of the tasks' gains (J x K) and the spread of a new one around it.

    Errors differ from task to task; what they differ by beyond their errors is the spread. Tasks of infinite error do
    not count. Source: DerSimonian & Laird 1986, equations 6 to 9.
    """
    weight = 1.0 / np.maximum(tasks.error, SMALLEST_ERROR) ** 2
    count, total = (weight > 0).sum(axis=1), np.maximum(weight.sum(axis=1), 1e-300)
    fixed = (weight * tasks.gain).sum(axis=1) / total
    apart = (weight * (tasks.gain - fixed[:, None]) ** 2).sum(axis=1)
    scale = np.maximum(total - (weight**2).sum(axis=1) / total, 1e-300)
    between = np.maximum((apart - (count - 1)) / scale, 0.0)
    random = np.where(weight > 0, 1.0 / (1.0 / np.maximum(weight, 1e-300) + between[:, None]), 0.0)
    sums = np.maximum(random.sum(axis=1), 1e-300)
    gain_J, spread_J = (random * tasks.gain).sum(axis=1) / sums, np.sqrt(between + 1.0 / sums)
    known = count >= 2
    return Prior(np.where(known, gain_J, 0.0), np.where(known, spread_J, np.inf), int(count.max(initial=0)))


def stretches(moments: Sequence[Evidence], *, stretch: int = STRETCH) -> Estimate:
    """The tasks of some courses: every complete stretch of every strategy (J x K), newest first; none: K = 0.

    `moments` are `gather`'s; only they are read, so a task has ended before the last of them.
    """
    ends = range(len(moments) - 1, stretch - 1, -stretch)
    parts = [estimated(moments[end].since(moments[end - stretch])) for end in ends]
    settings = moments[0].gains.shape[0]
    nothing = np.empty((settings, 0))
    return Estimate(
        np.concatenate([nothing, *(part.gain for part in parts)], axis=1),
        np.concatenate([nothing, *(part.error for part in parts)], axis=1),
    )


def together(*tasks: Estimate) -> Estimate:
    """Tasks of several sources as one set."""
    gain, error = (
        np.concatenate(parts, axis=1) for parts in zip(*((one.gain, one.error) for one in tasks), strict=True)
    )
    return Estimate(gain, error)


def posterior(prior: Prior, own: Estimate) -> Estimate:
    """Gains after the strategy's own evidence (J x S): normal prior, normal errors. The default stays at zero."""
    precision_J1 = 1.0 / np.maximum(prior.spread_J[:, None], SMALLEST_ERROR) ** 2
    precision = 1.0 / np.maximum(own.error, SMALLEST_ERROR) ** 2
    both = np.maximum(precision_J1 + precision, 1e-300)
    mean = (precision_J1 * prior.gain_J[:, None] + precision * own.gain) / both
    return Estimate(mean, 1.0 / np.sqrt(both))
