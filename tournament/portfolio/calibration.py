"""Whether a risk forecast was right: the bias statistic and QLIKE of returns against the volatility forecast for them.

Shape suffix: T days. A forecast of a day was made before it; NaN where there was none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tournament.portfolio.risk import Floats

LEAST_SHARE = 1e-3
"""The least squared standardised return that QLIKE counts: a day without a return says nothing of endless calm."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bias (1 is right, above it risk was underrated) and QLIKE (0 is perfect, 1.27 the mean of a right normal one)."""

    bias: float
    bias_error: float
    qlike: float
    qlike_error: float
    days: int


def standardised(returns_T: Floats, forecast_T: Floats) -> Floats:
    """Returns over the volatility forecast for them; NaN where there was no forecast above zero."""
    ratio_T = np.full(len(returns_T), np.nan)
    return np.divide(returns_T, forecast_T, out=ratio_T, where=forecast_T > 0)


def calibrate(returns_T: Floats, forecast_T: Floats) -> Calibration | None:
    """Both figures over all days that have a forecast, with standard errors that know fat tails; None below three days.

    bias = root of mean z^2, its error by the delta method; qlike = mean of z^2 - ln z^2 - 1 with z = return / forecast.
    Source: Menchero et al. 2011, section 5.1; Patton 2011, equation 24.
    """
    squares_T = standardised(returns_T, forecast_T) ** 2
    squares_T = squares_T[np.isfinite(squares_T)]
    days = len(squares_T)
    if days < 3:
        return None
    bias, spread = float(np.sqrt(squares_T.mean())), float(squares_T.std(ddof=1)) / np.sqrt(days)
    loss_T = qlike(squares_T)
    error = spread / (2 * bias) if bias > 0 else float("nan")
    return Calibration(bias, error, float(loss_T.mean()), float(loss_T.std(ddof=1)) / np.sqrt(days), days)


def rolling(returns_T: Floats, forecast_T: Floats, *, days: int) -> tuple[Floats, Floats]:
    """Bias and QLIKE of the `days` up to each day (T, T); NaN until half of them have a forecast."""
    squares_T = standardised(returns_T, forecast_T) ** 2
    return np.sqrt(np.maximum(_mean(squares_T, days), 0.0)), _mean(qlike(squares_T), days)


def _mean(values_T: Floats, days: int) -> Floats:
    return np.asarray(pd.Series(values_T).rolling(days, min_periods=days // 2).mean().to_numpy(), dtype=np.float64)


def qlike(squares_T: Floats) -> Floats:
    """The loss of each day from its squared standardised return."""
    kept_T = np.maximum(squares_T, LEAST_SHARE)
    return np.asarray(kept_T - np.log(kept_T) - 1.0)
