"""What a control changed: Sharpe ratio with a paired error, and drawdown, at the same risk.

Shape suffix: T periods, B bootstrap draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.overlay.settings import Floats

DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """Sharpe ratio a year, its difference to the base with standard error, and drawdowns as run and at equal risk."""

    sharpe: float
    gain: float
    error: float
    drawdown: float
    drawdown_matched: float


def sharpe_a_year(net_T: Floats, *, periods_a_year: float) -> float:
    """Mean over standard deviation, a year; NaN where nothing varies. No interest is subtracted."""
    spread = net_T.std()
    return float(net_T.mean() / spread * np.sqrt(periods_a_year)) if spread > 0 else float("nan")


def largest_drawdown(net_T: Floats) -> float:
    """Largest loss since a peak, a fraction of it, returns compounded."""
    value = np.concatenate([[1.0], np.cumprod(np.maximum(1.0 + net_T, 0.0))])
    return float((1.0 - value / np.maximum.accumulate(value)).max())


def sharpe_gain_error(
    net_T: Floats, base_T: Floats, *, periods_a_year: float, block: int, seed: int = 0, draws: int = DRAWS
) -> float:
    """Standard error of the difference of two Sharpe ratios a year: circular blocks, the same ones for both.

    Only sums of returns and squares are needed, so a draw costs one sum over its blocks.
    Source: Ledoit & Wolf 2008, section 3.2 (pairs by blocks); Politis & Romano 1992 (circular blocks).
    """
    rng = np.random.default_rng(seed)
    size, count = len(net_T), max(1, len(net_T) // block)
    moments = np.stack([net_T, net_T**2, base_T, base_T**2])
    sums = np.cumsum(np.concatenate([np.zeros((4, 1)), moments, moments[:, :block]], axis=1), axis=1)
    of_block = sums[:, block : block + size] - sums[:, :size]
    means = of_block[:, rng.integers(size, size=(draws, count))].sum(axis=2) / (count * block)
    spread = np.sqrt(np.maximum(means[1::2] - means[0::2] ** 2, 1e-300))
    ratio = means[0::2] / spread * np.sqrt(periods_a_year)
    return float((ratio[0] - ratio[1]).std())


def judge(net_T: Floats, base_T: Floats, *, periods_a_year: float, block: int, seed: int = 0) -> Change:
    """A managed course beside the base of the same periods; periods that either lacks are left out."""
    known = np.isfinite(net_T) & np.isfinite(base_T)
    net, base = net_T[known], base_T[known]
    ratio = sharpe_a_year(net, periods_a_year=periods_a_year)
    matched = net * (base.std() / net.std() if net.std() > 0 else 1.0)
    error = sharpe_gain_error(net, base, periods_a_year=periods_a_year, block=block, seed=seed)
    return Change(
        ratio, ratio - sharpe_a_year(base, periods_a_year=periods_a_year), error, largest_drawdown(net),
        largest_drawdown(matched),
    )  # fmt: skip
