"""What each model did add to the champion's blend, told when the round resolves; the explanation before it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from regatta.ensemble.history import alike_of
from tournament.selectors import algebra
from tournament.selectors.explanation.explained import values_by_name
from tournament.selectors.protocol import Floats

DIGITS = 6


def outcome(weights: Mapping[str, float], models: Sequence[str], linear_M: Floats, panel_sha256: str) -> dict[str, Any]:
    """`{"corr": blend's, "models": {name: [leave-one-out, Shapley value]}}` in linear corr, for models with weight.

    `linear_M` are the round's final linear scores, those that selectors learn from; their blend's corr is near the
    tournament's corr, not equal to it (docs/method.md).
    """
    weights_M = np.array([weights.get(name, 0.0) for name in models])
    scores_M, correlations = np.nan_to_num(linear_M), alike_of(panel_sha256, len(models))
    left_out_M = algebra.leave_one_out(weights_M, scores_M, correlations)
    shapley_M = values_by_name(tuple(models), weights_M, scores_M, correlations)
    by_model = {
        models[place]: [round(float(left_out_M[place]), DIGITS), round(float(shapley_M[place]), DIGITS)]
        for place in np.flatnonzero(weights_M > 0).tolist()
    }
    return {"corr": round(algebra.corr(weights_M, scores_M, correlations), DIGITS), "models": by_model}
