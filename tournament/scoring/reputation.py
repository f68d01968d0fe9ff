"""Long-run standing of models: means over a window with honest standard errors, ranks and percentiles.

Shape suffixes: R rounds (oldest first), M models. NaN: the model has no score in the round.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tournament.scoring.ranks import Floats


@dataclass(frozen=True, slots=True)
class Standing:
    """One value per model (length M)."""

    mean: Floats
    standard_error: Floats
    rounds: NDArray[np.int64]
    rank: Floats
    percentile: Floats


def standing(scores_RM: Floats, *, window: int, overlap: int) -> Standing:
    """Mean, standard error, rank (1 is best, ties share it) and percentile over the last `window` rounds."""
    recent = scores_RM[-window:]
    rounds = (~np.isnan(recent)).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a model without any score has NaN for a mean
        mean = np.nanmean(recent, axis=0) if len(recent) else np.full(scores_RM.shape[1], np.nan)
    return Standing(mean, standard_errors(recent, overlap=overlap), rounds, *_ranks(mean))


def standard_errors(scores_RM: Floats, *, overlap: int) -> Floats:
    """Standard error of each column's mean when a target overlaps the `overlap` - 1 rounds after it.

    Newey-West with Bartlett weights and lag overlap - 1, missing rounds left out; NaN below two rounds.
    Source: Newey and West 1987, equation 5.
    """
    known = ~np.isnan(scores_RM)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(known, scores_RM - np.nansum(scores_RM, axis=0) / count, 0.0)
        variance = (residual**2).sum(axis=0)
        for lag in range(1, min(overlap, len(scores_RM))):
            weight = 1.0 - lag / overlap
            variance = variance + 2.0 * weight * (residual[lag:] * residual[:-lag]).sum(axis=0)
        error = np.sqrt(np.maximum(variance, 0.0)) / count * np.sqrt(count / (count - 1.0))
    return np.where(count > 1, error, np.nan)


def percentiles(values_M: Floats) -> Floats:
    """Share of the other models that a model beats (ties count half), 0 to 1; NaN stays NaN."""
    out = np.full(values_M.shape, np.nan)
    known = ~np.isnan(values_M)
    others = known.sum() - 1
    if others >= 0:
        out[known] = (rankdata(values_M[known]) - 1) / others if others else 1.0
    return out


def rank_change(before_M: Floats, now_M: Floats) -> Floats:
    """Places won (positive) or lost since an earlier board; NaN for a model new to the board."""
    return before_M - now_M


def _ranks(mean_M: Floats) -> tuple[Floats, Floats]:
    rank = np.full(mean_M.shape, np.nan)
    known = ~np.isnan(mean_M)
    rank[known] = rankdata(-mean_M[known], method="min")
    return rank, percentiles(mean_M)
