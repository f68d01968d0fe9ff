"""What each model did for the book: the gradient of its realised net return by the models' weights.

Suffixes: N assets, M models. The book is the best one for alpha = scale x z with z the standardised blend of the
models' ranks, so by the chain rule one solve of the kernel's last Newton system serves all models:

    d(net return)/d(weight m) = P_m . (h - mean h - z (z.h)/N) / (deviation of the blend),  h = scale x d(net)/d(alpha)

As the blend is standardised only the weights' proportions count: the weighted sum of contributions is 0, and above 0
stand the models of which more would have earned more. Source: ours; the idea is Numerai's true contribution.
"""

from __future__ import annotations

import numpy as np

from tournament.portfolio.accounting import DAYS_A_YEAR
from tournament.portfolio.kernel.solution import Solution
from tournament.portfolio.premises import Premises
from tournament.portfolio.risk import Floats
from tournament.scoring.blend import standardized_ranks
from tournament.scoring.ranks import Panel


def true_contributions(
    solution: Solution,
    premises: Premises,
    predictions_NM: Panel,
    weights_M: Floats,
    returns_N: Floats,
    *,
    days: float,
) -> Floats:
    """d(return of the book after costs and borrow)/d(weight) of each model (M), as a fraction per unit of weight.

    Returns are the assets' simple returns over the `days` that the book was held; a missing one counts as 0, as in the
    accounts. All 0 for a blend without spread.
    """
    blend_N = (ranks_NM := standardized_ranks(predictions_NM)) @ (weights_M / weights_M.sum())
    deviation = float(blend_N.std())
    if deviation <= 0:
        return np.zeros(len(weights_M))
    standard_N = (blend_N - blend_N.mean()) / deviation
    borrow = premises.costs.borrow_per_year * days / DAYS_A_YEAR
    earned_N = np.nan_to_num(returns_N) + np.where(solution.weights_N < 0, borrow, 0.0)
    pull_N = premises.scale_N * solution.net_value_gradient(earned_N)
    pull_N = pull_N - pull_N.mean() - standard_N * float(standard_N @ pull_N) / len(standard_N)
    return np.asarray(ranks_NM.T @ pull_N / (deviation * weights_M.sum()))
