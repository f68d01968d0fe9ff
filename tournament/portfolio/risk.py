"""A statistical factor risk model. Suffixes: T days, N assets, K factors. Daily variances, returns in fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput

Floats = NDArray[np.float64]
HALF_LIFE_DAYS = 126.0
CLIP_DEVIATIONS = 8.0
SPECIFIC_FLOOR = 0.25
"""Specific variance is not let below this share of the assets' median: a short quiet spell is no safety."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """Covariance = loadings loadings' + diag(specific); loadings carry the factors' volatility."""

    loadings_NK: Floats
    specific_N: Floats

    def variance(self, weights_N: Floats) -> float:
        """Daily variance of a book."""
        exposure = self.loadings_NK.T @ weights_N
        return float(exposure @ exposure + (self.specific_N * weights_N**2).sum())

    def covariance(self) -> Floats:
        """The whole matrix (N x N); for tests and small universes."""
        return np.asarray(self.loadings_NK @ self.loadings_NK.T + np.diag(self.specific_N))


def fit_risk_model(returns_TN: Floats, *, factors: int = 10, half_life: float = HALF_LIFE_DAYS) -> RiskModel:
    """Principal components of standardised returns by the T x T Gram matrix, never N x N.

    A missing return counts as its asset's mean; an asset without returns gets the median risk. Raises BadInput.
    """
    days, assets = returns_TN.shape
    if days < 2 or assets < 2:
        raise BadInput(f"{days} days of {assets} assets; a risk model needs at least two of each")
    weights_T = 0.5 ** (np.arange(days)[::-1] / half_life)
    known = np.isfinite(returns_TN)
    count_N = (weights_T[:, None] * known).sum(axis=0)
    filled = np.where(known, returns_TN, 0.0)
    mean_N = (weights_T[:, None] * filled).sum(axis=0) / np.maximum(count_N, 1e-12)
    centred = np.where(known, filled - mean_N, 0.0)
    variance_N = (weights_T[:, None] * centred**2).sum(axis=0) / np.maximum(count_N, 1e-12)
    typical = float(np.median(variance_N[variance_N > 0])) if (variance_N > 0).any() else 1e-4
    deviation_N = np.sqrt(np.where(variance_N > 0, variance_N, typical))
    standard = np.clip(centred / deviation_N, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
    standard *= np.sqrt(weights_T / weights_T.sum())[:, None]
    loadings = _components(standard, min(factors, days - 1, assets // 2))
    specific = np.maximum(1.0 - (loadings**2).sum(axis=1), SPECIFIC_FLOOR)
    return RiskModel(loadings * deviation_N[:, None], specific * deviation_N**2)


def betas(returns_TN: Floats, market_T: Floats) -> Floats:
    """Slope of each asset on the market (N); 1 where unknown."""
    market = market_T - np.nanmean(market_T)
    centred = np.nan_to_num(returns_TN - np.nanmean(np.where(np.isfinite(returns_TN), returns_TN, 0.0), axis=0))
    variance = float((market**2).sum())
    slope = centred.T @ market / variance if variance > 0 else np.ones(returns_TN.shape[1])
    return np.where(np.isfinite(returns_TN).any(axis=0), slope, 1.0)


def _components(standard_TN: Floats, count: int) -> Floats:
    """Loadings (N x K) of the leading components, scaled by their volatility."""
    values, vectors = np.linalg.eigh(standard_TN @ standard_TN.T)
    leading = np.argsort(values)[::-1][: max(1, count)]
    scores = vectors[:, leading]
    return np.asarray(standard_TN.T @ scores)
