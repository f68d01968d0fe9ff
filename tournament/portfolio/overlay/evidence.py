"""How much more than the default each setting earned at the same risk, and how surely: sums that grow period by period.

Shape suffixes: T periods, J settings (row 0 is the default), S strategies or worlds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tournament.portfolio.overlay.settings import Floats

BATCH = 63
"""Periods of one batch: gains of a quarter are taken as independent of those of the next (method of batch means)."""
WARM_UP = 126
"""Periods that only measure the risk by which gains are matched."""
LEAST_BATCHES = 8
"""Below so many batches nothing is said: the error of an error would be a quarter of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sums over a course (J x S each): periods, squared returns, the batch that runs, and complete batches' gains."""

    periods: Floats
    squares: Floats
    running: Floats
    batches: Floats
    gains: Floats
    squared_gains: Floats

    @classmethod
    def none(cls, settings: int, strategies: int) -> Evidence:
        """Before the first period."""
        return cls(*(np.zeros((settings, strategies)) for _ in fields(cls)))

    def written(self) -> dict[str, Any]:
        """As it is kept with a book."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Evidence:
        """From what `written` gave."""
        return cls(**{field.name: np.array(kept[field.name], float) for field in fields(cls)})

    def since(self, earlier: Evidence) -> Evidence:
        """What was gathered after an earlier moment of the same course."""
        return Evidence(*(getattr(self, one.name) - getattr(earlier, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Gains in Sharpe ratio a year and their standard errors, infinite where too little was seen."""

    gain: Floats
    error: Floats


def gathered(evidence: Evidence, net_JS: Floats, *, periods_a_year: float) -> Evidence:
    """The sums after a period; NaN: the strategy had none.

    Returns are divided by the volatility that was known before the period, so risk is matched without hindsight.
    """
    known = np.isfinite(net_JS)
    net = np.where(known, net_JS, 0.0)
    risk = np.sqrt(np.maximum(evidence.squares, 1e-300) / np.maximum(evidence.periods, 1))
    matched = net / np.maximum(risk, 1e-9)
    gain = np.where(known & (evidence.periods >= WARM_UP), matched - matched[:1], 0.0) * np.sqrt(periods_a_year)
    periods, running = evidence.periods + known, evidence.running + gain
    full = known & (periods > WARM_UP) & ((periods - WARM_UP) % BATCH == 0)
    batch = np.where(full, running / BATCH, 0.0)
    return Evidence(
        periods, evidence.squares + net**2, np.where(full, 0.0, running), evidence.batches + full,
        evidence.gains + batch, evidence.squared_gains + batch**2,
    )  # fmt: skip


def gather(net_TJS: Floats, *, periods_a_year: float, every: int = BATCH) -> list[Evidence]:
    """The evidence before the first period and after every so many; a last, shorter stretch is left out."""
    evidence = Evidence.none(*net_TJS.shape[1:])
    moments = [evidence]
    for period, net_JS in enumerate(net_TJS, start=1):
        evidence = gathered(evidence, net_JS, periods_a_year=periods_a_year)
        if period % every == 0:
            moments.append(evidence)
    return moments


def estimated(evidence: Evidence) -> Estimate:
    """Mean gain of the batches with its standard error (J x S)."""
    count = np.maximum(evidence.batches, 2)
    mean = evidence.gains / count
    variance = np.maximum(evidence.squared_gains / count - mean**2, 0.0) / (count - 1)
    enough = evidence.batches >= LEAST_BATCHES
    return Estimate(np.where(enough, mean, 0.0), np.where(enough, np.sqrt(variance), np.inf))
