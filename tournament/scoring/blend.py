"""Blends of models, and the two statistics from which a blend's score follows.

For standardised predictions P (N x M) and target y, corr(Pw, y) = w's / sqrt(w'Cw) with s = P'y/n and C = P'P/n.
Source: ours (exact for Pearson; a surrogate for numerai_corr, whose powers act on the blend).
"""

from __future__ import annotations

import numpy as np

from tournament.errors import BadInput
from tournament.scoring.ranks import Floats, Panel, gaussian_ranks, power_15


def standardized_ranks(predictions_NM: Panel) -> Floats:
    """Rank-gaussian columns of variance one; a missing value is the neutral 0, a constant column all 0."""
    gaussian = gaussian_ranks(predictions_NM)
    spread = np.nanstd(gaussian, axis=0) if len(gaussian) else np.ones(gaussian.shape[1])
    return np.nan_to_num(gaussian / np.where(spread > 0, spread, 1.0))


def blend(predictions_NM: Panel, weights_M: Floats) -> Floats:
    """The weighted mean of standardised ranks (N); weights are scaled to sum to one. Raises BadInput."""
    total = float(weights_M.sum())
    if not np.isfinite(weights_M).all() or (weights_M < 0).any() or total <= 0:
        raise BadInput("weights must be finite, not negative and not all zero")
    return standardized_ranks(predictions_NM) @ (weights_M / total)


def model_correlations(predictions_NM: Panel) -> Floats:
    """C = P'P/n of standardised ranks (M x M); the diagonal of a constant model is 0."""
    ranks = standardized_ranks(predictions_NM)
    return ranks.T @ ranks / len(ranks)


def linear_scores(predictions_NM: Panel, target_N: Floats) -> Floats:
    """s = P'y/n with y the centred, 1.5-powered, standardised target (M); NaN for a constant model."""
    known = ~np.isnan(target_N)
    powered = power_15(target_N[known] - target_N[known].mean())
    powered = (powered - powered.mean()) / powered.std()
    ranks = standardized_ranks(predictions_NM[known])
    scores = ranks.T @ powered / len(powered)
    return np.where(ranks.std(axis=0) > 0, scores, np.nan)
