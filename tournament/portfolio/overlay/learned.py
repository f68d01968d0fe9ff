"""What 98 tasks say of each setting before a live book has spoken for itself.

Gain over volatility targeting in Sharpe ratio a year on a new strategy, and its standard deviation among strategies,
for settings whose exposure never exceeds one: 38 stretches of five years of seven strategies, and 60 simulated worlds
of ten years. Printed by benchmarks/bench_overlays.py; learned to 2023-08: before that a book, a
replayed one too, reads `SCEPTICAL`.
"""

from __future__ import annotations

import numpy as np

from tournament.portfolio.overlay.prior import Prior
from tournament.portfolio.overlay.settings import LIVE

TASKS = 98
GAINS: dict[str, tuple[float, float]] = {
    "volatility, 3 months": (0.0000, 0.0001),
    "constant": (0.0008, 0.0068),
    "volatility, 1 month": (0.0109, 0.0174),
    "volatility, 6 months": (-0.0021, 0.0073),
    "volatility, 1 year": (0.0008, 0.0095),
    "root of volatility": (-0.0003, 0.0083),
    "variance, 1 month": (0.0110, 0.0349),
    "variance, 3 months": (0.0035, 0.0178),
    "drawdown 25 %": (-0.0296, 0.0367),
    "volatility and drawdown 25 %": (-0.0313, 0.0252),
    "volatility and drawdown 15 %": (-0.0636, 0.0577),
    "volatility, half Kelly": (0.0119, 0.0181),
    "volatility, quarter Kelly": (0.0204, 0.0342),
}
PRIOR = Prior.of([GAINS[name] for name in LIVE], tasks=TASKS)
LEARNED_TO = np.datetime64("2023-09-01")
SCEPTICAL = Prior.of([(0.0, 0.02)] * len(LIVE), tasks=0)
"""Of no tasks: no setting is thought better than the default, and hardly worse."""


def prior_at(moment: np.datetime64) -> Prior:
    """What was known of the settings at a moment, before a book speaks for itself."""
    return PRIOR if moment >= LEARNED_TO else SCEPTICAL
