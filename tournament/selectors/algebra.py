"""What a blend scores, and what each model adds to it, from scores and correlations alone.

Shape suffixes: M models, B draws. For standardised predictions P and target y, with s = P'y/n and C = P'P/n, a blend of
weights w scores corr = s.w / sqrt(w'Cw): exact for Pearson's correlation, close for the tournament's corr, whose powers
act on the blend (docs/method.md says how close). Everything is free of the weights' scale. Source: ours.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from tournament.selectors.protocol import Floats

TINY = 1e-12
DRAWS = 256


def corr(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> float:
    """s.w / sqrt(w'Cw); zero for a blend without variance."""
    variance = float(weights_M @ correlations_MM @ weights_M)
    return float(scores_M @ weights_M) / np.sqrt(variance) if variance > TINY else 0.0


def gradient(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> Floats:
    """Change of the blend's corr with each weight (M): (s - (s.w / w'Cw) Cw) / sqrt(w'Cw)."""
    with_blend_M = correlations_MM @ weights_M
    variance = max(float(weights_M @ with_blend_M), TINY)
    return np.asarray((scores_M - float(scores_M @ weights_M) / variance * with_blend_M) / np.sqrt(variance))


def contributions(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> Floats:
    """mmc of each model beside the blend (M): the score of what is left of it after projection on the blend."""
    with_blend_M = correlations_MM @ weights_M
    variance = max(float(weights_M @ with_blend_M), TINY)
    return np.asarray(scores_M - with_blend_M * float(scores_M @ weights_M) / variance)


def leave_one_out(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> Floats:
    """corr of the blend less that of the blend without each model, the others' shares kept (M); 0 without weight."""
    with_blend_M = correlations_MM @ weights_M
    whole = float(weights_M @ with_blend_M)
    score_M = float(scores_M @ weights_M) - weights_M * scores_M
    variance_M = whole - 2.0 * weights_M * with_blend_M + weights_M**2 * np.diag(correlations_MM)
    without_M = np.where(variance_M > TINY, score_M / np.sqrt(np.maximum(variance_M, TINY)), 0.0)
    return np.asarray(np.where(weights_M > 0, corr(weights_M, scores_M, correlations_MM) - without_M, 0.0))


def shapley(
    weights_M: Floats, scores_M: Floats, correlations_MM: Floats, *, rng: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Shapley value of each model in the game v(S) = corr of the blend of S alone (M); they sum to the blend's corr.

    Mean marginal value over `draws` orders, each beside its reverse. Models without weight have value zero and take no
    part. Source: Castro, Gomez and Tejada 2009, section 3; antithetic orders: Mitchell et al. 2022, section 4.
    """
    held = np.flatnonzero(weights_M > 0)
    score_M = scores_M[held] * weights_M[held]
    covariance_MM = correlations_MM[np.ix_(held, held)] * np.outer(weights_M[held], weights_M[held])
    forward_BM = rng.permuted(np.tile(np.arange(len(held)), (max(1, draws // 2), 1)), axis=1)
    values = np.zeros(len(weights_M))
    values[held] = _mean_marginals(np.vstack([forward_BM, forward_BM[:, ::-1]]), score_M, covariance_MM)
    return values


def _mean_marginals(order_BM: Floats, score_M: Floats, covariance_MM: Floats) -> Floats:
    """Mean over orders of what each model adds when it enters after those before it (M)."""
    draws, models = order_BM.shape
    total_M, rows = np.zeros(models), np.arange(draws)
    score_B, variance_B, value_B = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    covered_BM = np.zeros((draws, models))  # covariance of each model with those that have entered
    for place in range(models):
        entering_B = order_BM[:, place]
        score_B = score_B + score_M[entering_B]
        variance_B = variance_B + 2.0 * covered_BM[rows, entering_B] + covariance_MM[entering_B, entering_B]
        covered_BM += covariance_MM[entering_B]
        grown_B = np.where(variance_B > TINY, score_B / np.sqrt(np.maximum(variance_B, TINY)), 0.0)
        total_M += np.bincount(entering_B, weights=grown_B - value_B, minlength=models)
        value_B = grown_B
    return total_M / draws


def exact_shapley(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> Floats:
    """The same by all 2^M coalitions: for few models, and to check the draws."""
    models = len(weights_M)
    values = np.zeros(models)
    for size in range(models):
        share = 1.0 / (models * comb(models - 1, size))
        for members in combinations(range(models), size):
            inside = np.isin(np.arange(models), members)
            before = corr(weights_M * inside, scores_M, correlations_MM)
            for model in np.flatnonzero(~inside):
                joined = inside | (np.arange(models) == model)
                values[model] += share * (corr(weights_M * joined, scores_M, correlations_MM) - before)
    return values
