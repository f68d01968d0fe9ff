"""Every series of a tear sheet, day by day: what its drawings show and its CSV holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tournament.portfolio.accounting import COLUMNS, DAYS_A_YEAR
from tournament.portfolio.calibration import rolling
from tournament.portfolio.metrics import depths
from tournament.portfolio.risk import Floats
from tournament.portfolio.sheet.attribution import Attribution
from tournament.portfolio.sheet.record import Record

HALF_YEAR, YEAR = 126, 252


def series_of(record: Record, parted: Attribution) -> pd.DataFrame:
    """One row a day: returns, values, costs, exposures, rolling figures, forecasts and what styles earned."""
    net, market = pd.Series(record.net_T), pd.Series(record.market_T)
    frame = pd.DataFrame({"date": record.columns, **{name: record.course.column(name) for name in COLUMNS}})
    bias_T, qlike_T = rolling(record.net_T, record.forecast_T, days=HALF_YEAR)
    deviation = net.rolling(HALF_YEAR).std()
    frame["nav_before_costs"] = np.cumprod(1.0 + record.gross_T)
    frame["market_return"], frame["market"] = market, (1.0 + market).cumprod()
    frame["market_at_same_volatility"] = np.cumprod(1.0 + _matched(record))
    frame["drawdown"] = depths(record.net_T)
    frame["volatility_half_year"] = deviation * np.sqrt(DAYS_A_YEAR)
    frame["sharpe_half_year"] = net.rolling(HALF_YEAR).mean() / deviation * np.sqrt(DAYS_A_YEAR)
    below = np.sqrt((net.clip(upper=0.0) ** 2).rolling(HALF_YEAR).mean())
    frame["sortino_half_year"] = net.rolling(HALF_YEAR).mean() / below.where(below > 0) * np.sqrt(DAYS_A_YEAR)
    frame["beta_half_year"] = net.rolling(HALF_YEAR).cov(market) / market.rolling(HALF_YEAR).var()
    frame["forecast_volatility"] = record.forecast_T * np.sqrt(DAYS_A_YEAR)
    frame["bias_half_year"], frame["qlike_half_year"] = bias_T, qlike_T
    frame["concentration"] = concentration(record.course.weights_TN)
    for place, style in enumerate(parted.styles):
        frame[f"exposure_{style}"], frame[f"earned_{style}"] = parted.exposure_TS[:, place], parted.earned_TS[:, place]
    frame["earned_selection"] = parted.selection_T
    return frame


def concentration(weights_TN: Floats) -> Floats:
    """How many equal positions a book is worth: (sum |w|)^2 / sum w^2; 0 for none."""
    squares_T = (weights_TN**2).sum(axis=1)
    sums_T = np.abs(weights_TN).sum(axis=1) ** 2
    return np.divide(sums_T, squares_T, out=np.zeros_like(sums_T), where=squares_T > 0)


def _matched(record: Record) -> Floats:
    """The market's returns scaled to the book's volatility of the whole time."""
    spread = float(record.market_T.std())
    return record.market_T * (float(record.net_T.std()) / spread if spread > 0 else 0.0)
