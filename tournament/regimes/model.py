"""A fitted regime model: filtered, never smoothed, probabilities of each regime.

Shape suffixes: T times, K regimes, C context columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CLIP = 4.0


@dataclass(frozen=True, slots=True)
class RegimeModel:
    """Gaussian emissions with a Markov chain over standardised contexts."""

    centre_C: Floats
    spread_C: Floats
    means_KC: Floats
    variances_KC: Floats
    start_K: Floats
    transitions_KK: Floats

    def standardize(self, context_TC: Floats) -> Floats:
        """Contexts in units of the training spread; missing values at the centre, far ones clipped."""
        return np.nan_to_num(np.clip((context_TC - self.centre_C) / self.spread_C, -CLIP, CLIP))

    def filtered(self, context_TC: Floats) -> Floats:
        """P(regime at t | contexts up to t), T x K. Source: Hamilton 1989, equations 4-6."""
        likelihood_TK = np.exp(self._log_likelihood(self.standardize(context_TC)))
        out = np.empty_like(likelihood_TK)
        belief = self.start_K
        for time, likelihood in enumerate(likelihood_TK):
            belief = (belief if time == 0 else belief @ self.transitions_KK) * likelihood
            belief = belief / belief.sum()
            out[time] = belief
        return out

    def novelty(self, context_C: Floats) -> float:
        """Distance of a context to the nearest regime, in standard deviations per column (about 1 is usual)."""
        standard = self.standardize(context_C[None])[0]
        return float(np.sqrt((((standard - self.means_KC) ** 2) / self.variances_KC).mean(axis=1).min()))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays by field name."""
        return {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> RegimeModel:
        """Read what `to_arrays` gave."""
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def _log_likelihood(self, standard_TC: Floats) -> Floats:
        distance = (standard_TC[:, None] - self.means_KC) ** 2 / self.variances_KC + np.log(self.variances_KC)
        # contexts are smooth trailing windows, so a new row brings far less news than its columns suggest
        log_TK = -0.5 * distance.sum(axis=2) / np.sqrt(standard_TC.shape[1])
        return np.asarray(log_TK - log_TK.max(axis=1, keepdims=True))
