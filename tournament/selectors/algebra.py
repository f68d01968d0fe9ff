"""What a blend scores, and what each model adds to it, from scores and correlations alone.

Shape suffixes: M models, B draws, S coalitions. For standardised predictions P and target y, with s = P'y/n and
C = P'P/n, a blend of weights w scores corr = s.w / sqrt(w'Cw): exact for Pearson's correlation, close for the
tournament's corr, whose powers act on the blend (docs/method.md says how close). Everything is free of the weights'
scale. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.protocol import Floats
from tournament.selectors.sketch import Sketch

Alike = Floats | Sketch
TINY = 1e-12
DRAWS = 256
EXACT = 12
"""Models with weight up to which Shapley values are found by all coalitions, 4,096 of them."""


def corr(weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> float:
    """s.w / sqrt(w'Cw); zero for a blend without variance."""
    variance = float(weights_M @ correlations_MM @ weights_M)
    return float(scores_M @ weights_M) / np.sqrt(variance) if variance > TINY else 0.0


def gradient(weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """Change of the blend's corr with each weight (M): (s - (s.w / w'Cw) Cw) / sqrt(w'Cw)."""
    with_blend_M = correlations_MM @ weights_M
    variance = max(float(weights_M @ with_blend_M), TINY)
    return np.asarray((scores_M - float(scores_M @ weights_M) / variance * with_blend_M) / np.sqrt(variance))


def contributions(weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """mmc of each model beside the blend (M): the score of what is left of it after projection on the blend."""
    with_blend_M = correlations_MM @ weights_M
    variance = max(float(weights_M @ with_blend_M), TINY)
    return np.asarray(scores_M - with_blend_M * float(scores_M @ weights_M) / variance)


def leave_one_out(weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """corr of the blend less that of the blend without each model, the others' shares kept (M); 0 without weight."""
    with_blend_M = correlations_MM @ weights_M
    whole = float(weights_M @ with_blend_M)
    score_M = float(scores_M @ weights_M) - weights_M * scores_M
    variance_M = whole - 2.0 * weights_M * with_blend_M + weights_M**2 * correlations_MM.diagonal()
    without_M = np.where(variance_M > TINY, score_M / np.sqrt(np.maximum(variance_M, TINY)), 0.0)
    return np.asarray(np.where(weights_M > 0, corr(weights_M, scores_M, correlations_MM) - without_M, 0.0))


def shapley(
    weights_M: Floats, scores_M: Floats, correlations_MM: Alike, *, rng: np.random.Generator, draws: int = DRAWS
) -> Floats:
    """Shapley value of each model in the game v(S) = corr of the blend of S alone (M); they sum to the blend's corr.

    Exact up to `EXACT` models with weight; beyond, the mean marginal value over `draws` orders, each beside its
    reverse, and the same for models that no coalition can tell apart. Models without weight have value zero and take no
    part. Source: Castro, Gomez and Tejada 2009, section 3; antithetic orders: Mitchell et al. 2022, section 4.
    """
    held = np.flatnonzero(weights_M > 0)
    if len(held) <= EXACT:
        return exact_shapley(weights_M, scores_M, correlations_MM)
    among = _block(correlations_MM, held)
    forward_BM = rng.permuted(np.tile(np.arange(len(held)), (max(1, draws // 2), 1)), axis=1)
    drawn_M = _mean_marginals(
        np.vstack([forward_BM, forward_BM[:, ::-1]]), weights_M[held] * scores_M[held], weights_M[held], among
    )
    values = np.zeros(len(weights_M))
    values[held] = _evened(drawn_M, weights_M[held], scores_M[held], among)
    return values


def _block(correlations_MM: Alike, held: NDArray[np.intp]) -> Alike:
    """Correlations of the models with weight."""
    return correlations_MM.take(held) if isinstance(correlations_MM, Sketch) else correlations_MM[np.ix_(held, held)]


def _evened(values_M: Floats, weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """The same value, their mean, for all models that no coalition can tell apart (M)."""
    if isinstance(correlations_MM, Sketch):
        told_M3 = np.column_stack([correlations_MM.family_M, _digits(weights_M), _digits(scores_M)])
        group_M = np.unique(told_M3, axis=0, return_inverse=True)[1].ravel()
        return np.asarray((np.bincount(group_M, weights=values_M) / np.bincount(group_M))[group_M])
    alike_MM = _alike(weights_M, scores_M, correlations_MM)
    return np.asarray(alike_MM @ values_M / alike_MM.sum(axis=1))


def _digits(values_M: Floats) -> Floats:
    """To nine digits of the largest."""
    return np.round(values_M / np.maximum(np.abs(values_M).max(), TINY), 9)


def _game(held: NDArray[np.intp], weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> tuple[Floats, Floats]:
    """Weighted scores and covariances of the few models with weight."""
    weight_M, among = weights_M[held], _block(correlations_MM, held)
    table_MM = among.rows(np.arange(len(held))) if isinstance(among, Sketch) else among
    return scores_M[held] * weight_M, table_MM * np.outer(weight_M, weight_M)


def _alike(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> Floats:
    """1 where two models are copies with the same weight and score, so that their values must be equal (M x M)."""
    same_MM = correlations_MM > 1.0 - 1e-9
    for values_M in (weights_M, scores_M):
        same_MM = same_MM & (np.abs(values_M[:, None] - values_M) <= 1e-9 * np.abs(values_M).max())
    return (same_MM | np.eye(len(weights_M), dtype=bool)).astype(float)


def _mean_marginals(order_BM: NDArray[np.intp], score_M: Floats, weight_M: Floats, correlations_MM: Alike) -> Floats:
    """Mean over orders of what each model adds when it enters after those before it (M)."""
    draws, models = order_BM.shape
    own_M = correlations_MM.diagonal() * weight_M**2
    covariances_of = _covariances(correlations_MM, weight_M)
    total_M, rows = np.zeros(models), np.arange(draws)
    score_B, variance_B, value_B = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    covered_BM = np.zeros((draws, models))  # covariance of each model with those that have entered
    for place in range(models):
        entering_B = order_BM[:, place]
        score_B = score_B + score_M[entering_B]
        variance_B = variance_B + 2.0 * covered_BM[rows, entering_B] + own_M[entering_B]
        covered_BM += covariances_of(entering_B)
        grown_B = np.where(variance_B > TINY, score_B / np.sqrt(np.maximum(variance_B, TINY)), 0.0)
        total_M += np.bincount(entering_B, weights=grown_B - value_B, minlength=models)
        value_B = grown_B
    return total_M / draws


def _covariances(correlations_MM: Alike, weight_M: Floats) -> Callable[[NDArray[np.intp]], Floats]:
    """What gives rows of the weighted models' covariances: of a table, or as they are asked for."""
    if isinstance(correlations_MM, Sketch):
        sketch = correlations_MM
        return lambda chosen: sketch.rows(chosen) * weight_M[chosen, None] * weight_M
    table_MM = correlations_MM * np.outer(weight_M, weight_M)
    return lambda chosen: table_MM[chosen]


def exact_shapley(weights_M: Floats, scores_M: Floats, correlations_MM: Alike) -> Floats:
    """The same by all 2^H coalitions of the H models with weight: for few of them.

    phi_m = sum_S (+-) |S before m|! (H - 1 - |S before m|)! / H! v(S), plus where m is in S. Source: Shapley 1953.
    """
    held = np.flatnonzero(weights_M > 0)
    values, count = np.zeros(len(weights_M)), len(held)
    score_M, covariance_MM = _game(held, weights_M, scores_M, correlations_MM)
    inside_SM = (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(float)
    variance_S = ((inside_SM @ covariance_MM) * inside_SM).sum(axis=1)
    value_S = np.where(variance_S > TINY, inside_SM @ score_M / np.sqrt(np.maximum(variance_S, TINY)), 0.0)
    share_by_size = np.array([1.0 / (count * comb(count - 1, size)) for size in range(count)] + [0.0])
    size_S = inside_SM.sum(axis=1).astype(int)
    joined_S1, left_S1 = share_by_size[size_S - 1][:, None], share_by_size[size_S][:, None]
    values[held] = value_S @ (inside_SM * joined_S1 - (1.0 - inside_SM) * left_S1)
    return values
