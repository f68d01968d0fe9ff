"""Trailing windows at chosen rows, for whole panels. Shape suffixes: D dates, N assets, E eras (chosen rows).

Every statistic of era e reads rows e - width + 1 .. e only, in the same order of summation whatever follows, so
altering later rows leaves it bit for bit the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
MIN_KNOWN = 0.6
"""Share of a window that must be known for its statistic to be given."""


def at_rows(values_DN: Floats, rows_E: Rows, lag: int = 0) -> Floats:
    """Values `lag` rows before each era (E x N); NaN before the first row."""
    wanted = rows_E - lag
    out = values_DN[np.maximum(wanted, 0)].copy()
    out[wanted < 0] = np.nan
    return out


def trailing(
    values_DN: Floats, rows_E: Rows, width: int, statistic: Callable[[Floats], Floats], *, skip: int = 0
) -> Floats:
    """A statistic over the `width` rows that end `skip` rows before each era (E x N).

    `statistic` maps (width x N) to (N) and is only asked where enough of the window is known.
    """
    out = np.full((len(rows_E), values_DN.shape[1]), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all-NaN columns give NaN, as they should
        for era, row in enumerate(rows_E):
            stop = row - skip + 1
            if stop - width < 0:
                continue
            window = values_DN[stop - width : stop]
            enough = np.isfinite(window).sum(axis=0) >= MIN_KNOWN * width
            out[era] = np.where(enough, statistic(window), np.nan)
    return out


def mean(window: Floats) -> Floats:
    """Mean over the window."""
    return np.asarray(np.nanmean(window, axis=0))


def deviation(window: Floats) -> Floats:
    """Standard deviation over the window."""
    return np.asarray(np.nanstd(window, axis=0))


def skewness(window: Floats) -> Floats:
    """Third standardised moment over the window."""
    centred = window - np.nanmean(window, axis=0)
    return np.asarray(np.nanmean(centred**3, axis=0) / np.nanstd(window, axis=0) ** 3)


def kurtosis(window: Floats) -> Floats:
    """Fourth standardised moment over the window."""
    centred = window - np.nanmean(window, axis=0)
    return np.asarray(np.nanmean(centred**4, axis=0) / np.nanstd(window, axis=0) ** 4)


def downside(window: Floats) -> Floats:
    """Root mean square of the negative values."""
    return np.asarray(np.sqrt(np.nanmean(np.minimum(window, 0.0) ** 2, axis=0)))


def largest(window: Floats) -> Floats:
    """Largest value."""
    return np.asarray(np.nanmax(window, axis=0))


def smallest(window: Floats) -> Floats:
    """Smallest value."""
    return np.asarray(np.nanmin(window, axis=0))


def share_positive(window: Floats) -> Floats:
    """Share of the known values above zero."""
    return np.asarray(np.nanmean(np.where(np.isfinite(window), window > 0, np.nan), axis=0))


def beta_to_mean(window: Floats) -> Floats:
    """Slope of each column on the equal-weighted mean of all columns."""
    market = np.nanmean(window, axis=1)
    market = market - np.nanmean(market)
    centred = window - np.nanmean(window, axis=0)
    return np.asarray(np.nanmean(centred * market[:, None], axis=0) / np.nanmean(market**2))


def residual_deviation(window: Floats) -> Floats:
    """Standard deviation around the slope on the mean of all columns."""
    market = np.nanmean(window, axis=1)
    market = market - np.nanmean(market)
    centred = window - np.nanmean(window, axis=0)
    return np.asarray(np.nanstd(centred - beta_to_mean(window) * market[:, None], axis=0))


def autocorrelation(window: Floats) -> Floats:
    """Correlation of each column with itself one row later."""
    centred = window - np.nanmean(window, axis=0)
    return np.asarray(np.nanmean(centred[1:] * centred[:-1], axis=0) / np.nanmean(centred**2, axis=0))
