"""What trading and holding cost each asset, as the engine takes it. Suffixes: T days up to a decision, N assets."""

from __future__ import annotations

import numpy as np

from tournament.portfolio.config import Execution
from tournament.portfolio.engine import Rates
from tournament.portfolio.limits import Costs
from tournament.portfolio.risk import Floats

VOLUME_DAYS = 63
"""Days over which volume and volatility are averaged for the impact of a trade."""


def rates_of(assets: int, costs: Costs, execution: Execution) -> Rates:
    """One spread and one borrow for all assets."""
    spread_N, borrow_N = np.full(assets, costs.half_spread), np.full(assets, costs.borrow_per_year)
    return Rates(spread_N, borrow_N, execution.cash_per_year, execution.delisting_return)


def impact_of(close_TN: Floats, volume_TN: Floats | None, execution: Execution) -> Floats | None:
    """Cost of a trade of money d (in units of the book's first value) per d^(3/2) (N); None without volumes.

    impact x volatility x (capital / mean daily volume)^(1/2), both over the last days of what is given; an asset
    without volume pays the median of the others. Source: Almgren et al. 2005; Boyd et al. 2017, equation 2.4.
    """
    if volume_TN is None or execution.impact == 0:
        return None
    moves_TN = np.diff(np.log(close_TN[-VOLUME_DAYS:]), axis=0)
    volume_N, variance_N = _mean_known(volume_TN[-VOLUME_DAYS:]), _mean_known(moves_TN**2)
    per_N = np.sqrt(variance_N * execution.capital / np.where(volume_N > 0, volume_N, np.inf))
    typical = float(np.median(per_N[per_N > 0])) if (per_N > 0).any() else 0.0
    return np.asarray(execution.impact * np.where(per_N > 0, per_N, typical))


def _mean_known(values_TN: Floats) -> Floats:
    return np.asarray(np.nan_to_num(values_TN).sum(axis=0) / np.maximum(np.isfinite(values_TN).sum(axis=0), 1))
