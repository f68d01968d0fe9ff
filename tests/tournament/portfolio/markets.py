"""A small market with a signal, for backtests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tournament.portfolio.backtest import Market

DAYS, ASSETS = 260, 60


def market(seed: int = 0, *, strength: float = 0.15) -> Market:
    """Sixty assets with one common factor; every fifth day a signal that knows a little of the next three weeks."""
    rng = np.random.default_rng(seed)
    beta = rng.uniform(0.5, 1.5, ASSETS)
    returns = 0.01 * (rng.standard_normal((DAYS, 1)) * beta + rng.standard_normal((DAYS, ASSETS)))
    close = 50 * np.exp(returns.cumsum(axis=0))
    signal = np.full((DAYS, ASSETS), np.nan)
    for day in range(100, DAYS - 20, 5):
        ahead = np.log(close[day + 16] / close[day + 1])
        signal[day] = strength * (ahead - ahead.mean()) / ahead.std() + rng.standard_normal(ASSETS)
    dates = np.busday_offset(np.datetime64("2018-01-02"), np.arange(DAYS), roll="forward")
    return Market(dates, tuple(f"A{number:02d}" for number in range(ASSETS)), close, signal)


def with_other_prices_after(one: Market, day: int) -> Market:
    """The same market up to `day`."""
    close = one.close_TN.copy()
    close[day + 1 :] *= np.exp(np.random.default_rng(7).normal(0, 0.05, close[day + 1 :].shape))
    signal = one.signal_TN.copy()
    signal[day + 1 :] = signal[day + 1 :, ::-1]
    return replace(one, close_TN=close, signal_TN=signal)
