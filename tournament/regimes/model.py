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
TINY = 1e-9
EMISSIONS = ("means_KC", "variances_KC", "start_K", "transitions_KK")


@dataclass(frozen=True, slots=True)
class Scaling:
    """How contexts (T x all columns) become what a model sees (T x C): chosen columns, logs, spreads, a turn.

    Source: whitening by the pooled covariance within regimes (linear discriminant analysis; Hastie et al. 2009, 4.3).
    """

    columns_C: NDArray[np.intp]
    logs_C: NDArray[np.bool_]
    centre_C: Floats
    spread_C: Floats
    turn_CC: Floats

    def apply(self, context_TK: Floats) -> Floats:
        """Contexts in turned spreads; missing values at the centre, far ones clipped."""
        return self.in_spreads(context_TK) @ self.turn_CC

    def in_spreads(self, context_TK: Floats) -> Floats:
        """Contexts in units of the training spread, before the turn."""
        chosen = take_logs(context_TK[:, self.columns_C], self.logs_C)
        return np.nan_to_num(np.clip((chosen - self.centre_C) / self.spread_C, -CLIP, CLIP))


def take_logs(context_TC: Floats, logs_C: NDArray[np.bool_]) -> Floats:
    """Logarithms of the marked columns: a volatility is as far from its half as from its double."""
    out = np.array(context_TC, dtype=float)
    out[:, logs_C] = np.log(np.maximum(out[:, logs_C], TINY))
    return out


@dataclass(frozen=True, slots=True)
class RegimeModel:
    """Gaussian emissions with a Markov chain over scaled contexts."""

    scaling: Scaling
    means_KC: Floats
    variances_KC: Floats
    start_K: Floats
    transitions_KK: Floats

    def filtered(self, context_TK: Floats) -> Floats:
        """P(regime at t | contexts up to t), T x K. Source: Hamilton 1989, equations 4-6."""
        likelihood_TK = np.exp(self._log_likelihood(self.scaling.apply(context_TK)))
        out = np.empty_like(likelihood_TK)
        belief = self.start_K
        for time, likelihood in enumerate(likelihood_TK):
            belief = (belief if time == 0 else belief @ self.transitions_KK) * likelihood
            belief = belief / sum(belief.tolist())  # of a few numbers, numpy's own sum takes longer than all the rest
            out[time] = belief
        return out

    def filtered_after(self, past_TK: Floats, context_EK: Floats) -> Floats:
        """P(regime now), E x K, in each of several contexts that may follow the filtered past (T x K, also empty)."""
        belief = past_TK[-1] @ self.transitions_KK if len(past_TK) else self.start_K
        belief_EK = belief * np.exp(self._log_likelihood(self.scaling.apply(context_EK)))
        return np.asarray(belief_EK / belief_EK.sum(axis=1, keepdims=True))

    def novelty(self, context_K: Floats) -> float:
        """Distance of a context to the nearest regime, in standard deviations per column (about 1 is usual)."""
        standard = self.scaling.apply(context_K[None])[0]
        return float(np.sqrt((((standard - self.means_KC) ** 2) / self.variances_KC).mean(axis=1).min()))

    def means_by_column(self, columns: int) -> Floats:
        """Mean of each regime in spreads of each context column (K x columns); 0 for columns not looked at."""
        means = np.zeros((len(self.means_KC), columns))
        means[:, self.scaling.columns_C] = self.means_KC @ np.linalg.inv(self.scaling.turn_CC)
        return means

    def to_arrays(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """Plain arrays by field name."""
        scaling = {prefix + name: np.asarray(getattr(self.scaling, name)) for name in Scaling.__dataclass_fields__}
        return scaling | {prefix + name: np.asarray(getattr(self, name)) for name in EMISSIONS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], prefix: str = "") -> RegimeModel:
        """Read what `to_arrays` gave."""
        scaling = Scaling(**{name: arrays[prefix + name] for name in Scaling.__dataclass_fields__})
        return cls(scaling, *(arrays[prefix + name] for name in EMISSIONS))

    def _log_likelihood(self, standard_TC: Floats) -> Floats:
        distance = (standard_TC[:, None] - self.means_KC) ** 2 / self.variances_KC + np.log(self.variances_KC)
        # contexts are smooth trailing windows, so a new row brings far less news than its columns suggest
        log_TK = -0.5 * distance.sum(axis=2) / np.sqrt(standard_TC.shape[1])
        return np.asarray(log_TK - log_TK.max(axis=1, keepdims=True))
