"""The market's weather at an era's close: a few numbers known then, from which regimes are told.

Shape suffixes: D dates, N assets, E eras, K context columns. Returns are fractions; volatilities are annualised.
"""

from __future__ import annotations

import warnings

import numpy as np

from tournament.markets.panel import Floats, PricePanel
from tournament.markets.quality import daily_returns
from tournament.markets.windows import Rows

CONTEXT_NAMES = (
    "volatility", "volatility_trend", "dispersion", "average_correlation", "breadth", "market_trend_3",
    "market_trend_12", "drawdown", "momentum_return", "reversal_return", "value_return", "low_volatility_return",
)  # fmt: skip
YEAR, QUARTER, MONTH = 252, 63, 21
LONGEST = 2 * YEAR + MONTH


def context_matrix(panel: PricePanel, rows_E: Rows) -> Floats:
    """Context of each era (E x K), columns as in CONTEXT_NAMES; each row reads prices up to its own row only."""
    returns_DN = daily_returns(panel.close_DN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.array([_context(returns_DN[max(0, row - LONGEST + 1) : row + 1]) for row in rows_E])


def _context(longest_TN: Floats) -> list[float]:
    """One row of the matrix, from the last year of daily returns; only value looks back longer."""
    returns_TN = longest_TN[-YEAR:]
    priced_N = np.isfinite(returns_TN).sum(axis=0) >= 0.6 * len(returns_TN)
    longest_TN, returns_TN = longest_TN[:, priced_N], returns_TN[:, priced_N]
    if returns_TN.shape[1] < 3 or len(returns_TN) < QUARTER:
        return [float("nan")] * len(CONTEXT_NAMES)
    clipped = np.clip(np.nan_to_num(returns_TN), -0.5, 0.5)
    market = clipped.mean(axis=1)
    wealth = np.cumsum(market)
    quarter, month = clipped[-QUARTER:], clipped[-MONTH:]
    deviation = float(market[-MONTH:].std())
    own = quarter.std(axis=0)
    average = (quarter.mean(axis=1).var() / max(1e-18, float(own.mean()) ** 2)) if own.mean() > 0 else 0.0
    return [
        deviation * np.sqrt(YEAR),
        float(np.log((deviation + 1e-9) / (market[-QUARTER:].std() + 1e-9))),
        float(month.sum(axis=0).std()),
        float(average),
        float((quarter.sum(axis=0) > 0).mean()),
        float(market[-QUARTER:].sum()),
        float(market.sum()),
        float(wealth[-1] - wealth.max()),
        *_factor_returns(np.clip(np.nan_to_num(longest_TN), -0.5, 0.5)),
    ]


def _factor_returns(returns_TN: Floats) -> list[float]:
    """Last month's return of four simple long-short books, chosen on what was known a month ago."""
    before, after = returns_TN[:-MONTH], returns_TN[-MONTH:].sum(axis=0)
    half, week, older = before[-126:], before[-5:], before[:-YEAR][-YEAR:]
    signals = (half.sum(axis=0), -week.sum(axis=0), -older.sum(axis=0), -half.std(axis=0))
    return [_spread(signal, after) for signal in signals]


def _spread(signal: Floats, after: Floats) -> float:
    """Mean return of the upper less the lower third by signal."""
    third = max(1, len(signal) // 3)
    order = np.argsort(signal, kind="stable")
    return float(after[order[-third:]].mean() - after[order[:third]].mean())
