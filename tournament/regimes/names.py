"""Names that stay: each regime gets the name of the weather it is most like."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from tournament.regimes.model import RegimeModel

WEATHER: dict[str, dict[str, float]] = {
    "Steady trend": {
        "volatility": -0.7, "dispersion": -0.5, "market_trend_12": 0.7, "drawdown": 0.6, "momentum_return": 0.7,
        "breadth": 0.5,
    },
    "Rotation": {
        "volatility": -0.3, "market_trend_3": -0.2, "momentum_return": -0.5, "reversal_return": 0.5,
        "value_return": 0.8,
    },
    "Stress": {
        "volatility": 1.5, "dispersion": 1.0, "average_correlation": 1.0, "drawdown": -1.5, "market_trend_3": -1.2,
        "breadth": -1.0, "low_volatility_return": 0.8,
    },
    "Recovery": {
        "volatility": 0.6, "market_trend_3": 1.2, "drawdown": -0.8, "momentum_return": -1.0, "breadth": 1.0,
        "market_trend_12": -0.6, "low_volatility_return": -1.0,
    },
}  # fmt: skip
"""Prototypes in standard deviations of each context column; a column not named counts as 0. Source: ours."""


def regime_names(model: RegimeModel, context_names: tuple[str, ...]) -> tuple[str, ...]:
    """One name a regime, no name twice; beyond four regimes they are numbered."""
    prototypes = np.array([[signs.get(name, 0.0) for name in context_names] for signs in WEATHER.values()])
    looked_at = model.scaling.columns_C
    means = model.means_by_column(len(context_names))
    cost = ((means[:, None, looked_at] - prototypes[None][:, :, looked_at]) ** 2).sum(axis=2)
    names = [f"Regime {number + 1}" for number in range(len(cost))]
    for regime, weather in zip(*linear_sum_assignment(cost), strict=True):
        names[regime] = list(WEATHER)[weather]
    return tuple(names)
