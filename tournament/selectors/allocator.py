"""From expected scores to weights: the long-only blend with the best expected corr.

max_w  mu.w / sqrt(w'(C + lambda I)w),  w on the simplex. The maximiser is proportional to the solution of
min_v  v'(C + lambda I)v / 2 - mu.v,  v >= 0, a non-negative least squares. Clones share one weight because C knows
that they are the same. Source: ours; the reduction is Markowitz's (1952) with scores in the place of returns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from tournament.selectors.protocol import Floats, equal_weights

RIDGE = 0.1


def best_blend(mu_M: Floats, correlations_MM: Floats, active_M: NDArray[np.bool_], *, ridge: float = RIDGE) -> Floats:
    """Weights (M) of the best expected blend; equal weights when no model is expected to score above zero."""
    chosen = np.flatnonzero(active_M & np.isfinite(mu_M))
    if not chosen.size or mu_M[chosen].max() <= 0:
        return equal_weights(active_M)
    penalized = correlations_MM[np.ix_(chosen, chosen)] + ridge * np.eye(len(chosen))
    factor = np.linalg.cholesky(penalized + 1e-9 * np.eye(len(chosen)))
    solution, _ = nnls(factor.T, np.linalg.solve(factor, mu_M[chosen]))
    weights = np.zeros(len(mu_M))
    weights[chosen] = solution / solution.sum()
    return weights


def surrogate_corr(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> float:
    """corr of a blend from its models' scores: s.w / sqrt(w'Cw); models without a score count as zero."""
    held = weights_M > 0
    variance = weights_M[held] @ correlations_MM[np.ix_(held, held)] @ weights_M[held]
    return float(np.nan_to_num(scores_M[held]) @ weights_M[held] / np.sqrt(max(float(variance), 1e-12)))
