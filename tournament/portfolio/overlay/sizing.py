"""How large a bet the evidence for it bears: fractional Kelly with an uncertain mean."""

from __future__ import annotations

import numpy as np

from tournament.portfolio.overlay.settings import Floats

PRIOR_SHARPE, PRIOR_SPREAD = 0.3, 0.4
"""Sharpe ratio a year of a strategy of which nothing is known yet, and its standard deviation among strategies: a guess
made before any result was seen, and not tuned."""


def believed_sharpe(sharpe: Floats, years: Floats) -> tuple[Floats, Floats]:
    """Posterior mean and variance of Sharpe ratios a year seen for some years: normal prior, error 1 / sqrt(years)."""
    precision = 1.0 / PRIOR_SPREAD**2 + years
    return (PRIOR_SHARPE / PRIOR_SPREAD**2 + years * sharpe) / precision, 1.0 / precision


def kelly_volatility(sharpe: Floats, years: Floats, fraction: Floats) -> Floats:
    """Volatility a year of the fraction of the growth-optimal bet; 0 where no gain is believed in.

    At full Kelly the volatility is the Sharpe ratio m. With variance v of m the best bet shrinks by m^2 / (m^2 + v).
    Source: Kelly 1956; Thorp 2006; the factor is Baker & McHale 2013, equation 5, in the normal case.
    """
    mean, variance = believed_sharpe(sharpe, years)
    mean = np.maximum(mean, 0.0)
    return np.asarray(fraction * mean**3 / (mean**2 + variance))
