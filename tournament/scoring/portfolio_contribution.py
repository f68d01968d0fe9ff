"""Numerai's meta portfolio contribution, of a whole panel at once. Suffixes: N rows, M models, K neutralizers."""

from __future__ import annotations

import numpy as np

from tournament.errors import BadInput
from tournament.scoring.ranks import Floats, Panel, gaussian_ranks, power_15

SCALE = 50.0
"""Numerai divides by it, so that the figures are of the size of the other scores."""


def portfolio_contributions(
    predictions_NM: Panel, stakes_M: Floats, target_N: Floats, *, neutralizers_NK: Floats, row_weights_N: Floats
) -> Floats:
    """The gradient of the stake-weighted portfolio's alpha, per unit of its norm, by each model's stake (M).

    Rows without a target are left out, a missing prediction is neutral; NaN for all where nothing is at stake or the
    portfolio is flat. `neutralizers_NK` must be orthonormal under the row weights. Source: numerai-tools 0.7,
    scoring.py, `meta_portfolio_contribution`.
    """
    known_N = np.isfinite(target_N)
    if not (len(predictions_NM) == len(target_N) == len(neutralizers_NK) == len(row_weights_N)):
        raise BadInput("predictions, target, neutralizers and row weights need as many rows as each other")
    total = float(np.nansum(np.abs(stakes_M)))
    if total <= 0 or known_N.sum() < 2:
        return np.full(predictions_NM.shape[1], np.nan)
    held_NM = neutral_weights(predictions_NM[known_N], neutralizers_NK[known_N], row_weights_N[known_N])
    held_NM = held_NM - held_NM.mean(axis=0)
    book_N = held_NM @ (np.nan_to_num(stakes_M) / total)
    length = float(np.sqrt(book_N @ book_N))
    if length <= 0:
        return np.full(predictions_NM.shape[1], np.nan)
    centred_N = target_N[known_N] - target_N[known_N].mean()
    along = float(book_N @ centred_N) / length**2
    return np.asarray(held_NM.T @ (centred_N - along * book_N) / length / SCALE)


def neutral_weights(predictions_NM: Panel, neutralizers_NK: Floats, row_weights_N: Floats) -> Floats:
    """Each model as a portfolio (N x M): powered ranks without their part along the neutralizers, by row weight."""
    powered_NM = power_15(np.nan_to_num(gaussian_ranks(predictions_NM)))
    along_KM = neutralizers_NK.T @ (row_weights_N[:, None] * powered_NM)
    return np.asarray((powered_NM - neutralizers_NK @ along_KM) * row_weights_N[:, None])


def orthonormal(columns_NK: Floats) -> Floats:
    """An orthonormal basis of what the columns span; columns that add nothing are left out."""
    left_NK, sizes_K, _ = np.linalg.svd(columns_NK, full_matrices=False)
    return np.asarray(left_NK[:, sizes_K > 1e-10 * max(1.0, float(sizes_K.max()))])
