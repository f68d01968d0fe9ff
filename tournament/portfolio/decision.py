"""What a book is chosen from, the same for the site's books and the backtest's: risk, betas and alphas at one close.

Shape suffixes: T days up to the decision, N assets of the panel, U assets that a book may hold, in the caller's order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tournament.portfolio.config import RiskConfig
from tournament.portfolio.risk import Floats, RiskModel, betas, fit_risk_model


@dataclass(frozen=True, slots=True)
class Estimate:
    """Risk of the universe as it was known."""

    risk: RiskModel
    beta_U: Floats

    @property
    def volatility_U(self) -> Floats:
        """Daily standard deviation of each asset."""
        return np.sqrt((self.risk.loadings_NK**2).sum(axis=1) + self.risk.specific_N)


def estimate(close_TN: Floats, columns_U: NDArray[np.intp], config: RiskConfig) -> Estimate:
    """Risk and betas of some columns of the closes known so far; only the config's window of them is looked at."""
    past_TU = recent_returns(close_TN, config)[:, columns_U]
    risk = fit_risk_model(
        past_TU, factors=config.factors, half_life=config.half_life_days, shape_half_life=config.shape_half_life_days
    )
    return Estimate(risk, betas(past_TU, market_returns(past_TU)))


def recent_returns(close_TN: Floats, config: RiskConfig) -> Floats:
    """The returns of the config's window (at most window_days x N)."""
    return daily_returns(close_TN[-config.window_days - 1 :])[1:]


def market_returns(past_TU: Floats) -> Floats:
    """Mean return of the universe, day by day (T); a missing return counts as 0."""
    return np.nan_to_num(past_TU).mean(axis=1)


def daily_returns(close_TN: Floats) -> Floats:
    """Simple returns since the last known close; NaN on days without a close (a gap's return comes at its end)."""
    last_TN = pd.DataFrame(close_TN).ffill().to_numpy()
    returns_TN = np.full(close_TN.shape, np.nan)
    returns_TN[1:] = close_TN[1:] / last_TN[:-1] - 1.0
    return returns_TN
