"""A statistical factor risk model. Suffixes: T days, N assets, K factors. Daily variances, returns in fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from tournament.errors import BadInput

Floats = NDArray[np.float64]
FACTORS = 20
HALF_LIFE_DAYS = 126.0
"""Of variances."""
SHAPE_HALF_LIFE_DAYS = 252.0
"""Of the factors' directions."""
CLIP_DEVIATIONS = 8.0
LEAN_DAYS = 10.0
"""Days of the others' median that stand beside an asset's own."""


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


def fit_risk_model(
    returns_TN: Floats, *, factors: int = FACTORS, half_life: float = HALF_LIFE_DAYS,
    shape_half_life: float = SHAPE_HALF_LIFE_DAYS,
) -> RiskModel:  # fmt: skip
    """Principal components of standardised returns, from the smaller Gram matrix (T x T for a wide universe).

    Directions change slowly and are learned with `shape_half_life`; the variances along them and the specific ones
    with `half_life`. A missing return is left out of its asset's figures; an asset with few returns leans on the
    others, one with none has the median risk and the mean loadings. Raises BadInput.
    Source: Connor and Korajczyk 1988 for the T x T matrix; the rest is ours, measured in benchmarks/bench_risk.py.
    """
    days, assets = returns_TN.shape
    if days < 2 or assets < 2:
        raise BadInput(f"{days} days of {assets} assets; a risk model needs at least two of each")
    recent_T, slow_T = decay(days, half_life), decay(days, shape_half_life)
    known_TN = np.isfinite(returns_TN)
    deviation_N, standard_TN = _standardise(returns_TN, known_TN, recent_T)
    count = max(1, min(factors, days - 1, assets // 2))
    directions_NK = _directions(standard_TN * np.sqrt(slow_T)[:, None], count)
    factor_TK = standard_TN @ directions_NK
    loadings_NK = _loadings(standard_TN, known_TN, factor_TK, directions_NK, slow_T)
    rest_TN = np.where(known_TN, standard_TN - factor_TK @ loadings_NK.T, 0.0)
    lost = 1.0 - count * float((slow_T**2).sum())  # what fitted directions leave of the freedom of so many days
    specific_N = _towards_median(rest_TN, known_TN, recent_T) / max(lost, 0.1)
    common_NK = loadings_NK @ _root((factor_TK * recent_T[:, None]).T @ factor_TK)
    unseen_N = LEAN_DAYS / (LEAN_DAYS + _days(known_TN, recent_T))  # of such an asset's risk what no factor holds
    specific_N += unseen_N * np.maximum(1.0 - (common_NK**2).sum(axis=1) - specific_N, 0.0)
    return RiskModel(deviation_N[:, None] * common_NK, specific_N * deviation_N**2)


def fit_characteristics_model(
    returns_TN: Floats, exposures_TNK: Floats, *, half_life: float = HALF_LIFE_DAYS
) -> RiskModel:
    """A factor model whose exposures are given: those of row t were known before the returns of row t.

    Each day's factor returns are the slopes of that day's returns on the exposures, by least squares weighted with the
    inverse of each asset's variance; an asset whose exposure is missing sits a day out. The newest exposures are the
    model's loadings (missing ones count as 0, a style's mean). Raises BadInput.
    Source: Menchero et al. 2011, section 3.
    """
    days, assets = returns_TN.shape
    if exposures_TNK.shape[:2] != (days, assets) or exposures_TNK.shape[2] >= assets:
        found = f"exposures are {exposures_TNK.shape} for {days} days of {assets} assets"
        raise BadInput(f"{found}; give days x assets x fewer characteristics than assets")
    recent_T = decay(days, half_life)
    known_TN = np.isfinite(returns_TN) & np.isfinite(exposures_TNK).all(axis=2)
    weight_N = 1.0 / _towards_median(np.where(known_TN, returns_TN, 0.0), known_TN, recent_T)
    weighed_TN = known_TN * weight_N
    exposures_TNK, returns_TN = np.nan_to_num(exposures_TNK), np.where(known_TN, returns_TN, 0.0)
    grams_TKK = np.einsum("tnk,tn,tnl->tkl", exposures_TNK, weighed_TN, exposures_TNK, optimize=True)
    pulls_TK = np.einsum("tnk,tn,tn->tk", exposures_TNK, weighed_TN, returns_TN, optimize=True)
    factor_TK = (np.linalg.pinv(grams_TKK, hermitian=True) @ pulls_TK[:, :, None])[:, :, 0]
    rest_TN = np.where(known_TN, returns_TN - np.einsum("tnk,tk->tn", exposures_TNK, factor_TK), 0.0)
    root_KK = _root((factor_TK * recent_T[:, None]).T @ factor_TK)
    return RiskModel(exposures_TNK[-1] @ root_KK, _towards_median(rest_TN, known_TN, recent_T))


def decay(days: int, half_life: float) -> Floats:
    """Weights of the days, the newest the largest, that sum to one (T)."""
    weights_T = 0.5 ** (np.arange(days)[::-1] / half_life)
    return np.asarray(weights_T / weights_T.sum())


def _standardise(returns_TN: Floats, known_TN: NDArray[np.bool_], recent_T: Floats) -> tuple[Floats, Floats]:
    """Deviation of each asset (N), and its returns less their mean over it, clipped; 0 where missing (T x N)."""
    filled_TN = np.where(known_TN, returns_TN, 0.0)
    seen_N = np.maximum(recent_T @ known_TN, 1e-12)
    centred_TN = np.where(known_TN, filled_TN - (recent_T @ filled_TN) / seen_N, 0.0)
    deviation_N = np.sqrt(_towards_median(centred_TN, known_TN, recent_T))
    return deviation_N, np.clip(centred_TN / deviation_N, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)


def _towards_median(values_TN: Floats, known_TN: NDArray[np.bool_], weights_T: Floats) -> Floats:
    """Weighted variance of each column (N), taken towards the columns' median as if that were so many days more.

    A short or quiet spell is no safety. 1 where no column has any.
    """
    seen_N = weights_T @ known_TN
    variance_N = weights_T @ values_TN**2 / np.maximum(seen_N, 1e-12)
    median = float(np.median(variance_N[variance_N > 0])) if (variance_N > 0).any() else 1e-4
    days_N = _days(known_TN, weights_T)
    return np.asarray((days_N * variance_N + LEAN_DAYS * median) / (days_N + LEAN_DAYS))


def _days(known_TN: NDArray[np.bool_], weights_T: Floats) -> Floats:
    """How many equally weighted days each column's known ones are worth (N). Source: Kish 1965."""
    return np.asarray((weights_T @ known_TN) ** 2 / np.maximum(weights_T**2 @ known_TN, 1e-12))


def _directions(weighted_TN: Floats, count: int) -> Floats:
    """Leading orthonormal directions of the assets (N x K), signed alike from fit to fit."""
    days, assets = weighted_TN.shape
    small = weighted_TN @ weighted_TN.T if days < assets else weighted_TN.T @ weighted_TN
    size = len(small)
    values, vectors = eigh(small, subset_by_index=(size - count, size - 1))
    if days < assets:
        vectors = weighted_TN.T @ vectors / np.sqrt(np.maximum(values, 1e-18))
    directions_NK = vectors[:, ::-1]
    return np.asarray(directions_NK * np.where(directions_NK.sum(axis=0) < 0, -1.0, 1.0))


def _loadings(
    standard_TN: Floats, known_TN: NDArray[np.bool_], factor_TK: Floats, directions_NK: Floats, weights_T: Floats
) -> Floats:
    """Slopes on the factors: the directions themselves where no return is missing, else fitted to those there are.

    A slope from few days is taken towards the mean one, as if that had been seen on so many days more.
    """
    loadings_NK = directions_NK.copy()
    partly = np.flatnonzero(~known_TN.all(axis=0))
    prior_K, typical_KK = directions_NK.mean(axis=0), (factor_TK * weights_T[:, None]).T @ factor_TK
    lean_KK = LEAN_DAYS * float((weights_T**2).sum()) * typical_KK
    for asset in partly:
        there_T = weights_T * known_TN[:, asset]
        gram_KK = (factor_TK * there_T[:, None]).T @ factor_TK + lean_KK
        pull_K = factor_TK.T @ (there_T * standard_TN[:, asset]) + lean_KK @ prior_K
        loadings_NK[asset] = np.linalg.lstsq(gram_KK, pull_K, rcond=None)[0]
    return loadings_NK


def _root(covariance_KK: Floats) -> Floats:
    """A with AA' = covariance, also where that has lost rank."""
    values, vectors = np.linalg.eigh(covariance_KK)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def betas(returns_TN: Floats, market_T: Floats) -> Floats:
    """Slope of each asset on the market (N); 1 where unknown."""
    market = market_T - np.nanmean(market_T)
    centred = np.nan_to_num(returns_TN - np.nanmean(np.where(np.isfinite(returns_TN), returns_TN, 0.0), axis=0))
    variance = float((market**2).sum())
    slope = centred.T @ market / variance if variance > 0 else np.ones(returns_TN.shape[1])
    return np.where(np.isfinite(returns_TN).any(axis=0), slope, 1.0)
