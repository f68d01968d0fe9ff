"""Targets: what the market did after an era, cleaned of what nobody is asked to predict.

Shape suffixes: D dates, N assets, E eras.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tournament.markets import windows
from tournament.markets.panel import Floats, PricePanel
from tournament.markets.quality import daily_returns
from tournament.markets.windows import Rows

EDGES = (0.05, 0.25, 0.75, 0.95)
"""Cumulative shares of the bins 0, .25, .5, .75, 1: 5, 20, 50, 20 and 5 %."""
BETA_DAYS = 252
SIZE_DAYS = 63


def forward_returns(
    panel: PricePanel, rows_E: Rows, *, horizon: int, lag: int, partial_days: int | None = None
) -> Floats:
    """Log return from `lag` days after the era over `horizon` days (E x N); NaN until the last day is known.

    `partial_days` gives the return over the first days only, for partial scores.
    """
    days = horizon if partial_days is None else min(partial_days, horizon)
    log_DN = np.log(panel.close_DN)
    start, stop = rows_E + lag, rows_E + lag + days
    known = stop < len(log_DN)
    out = np.full((len(rows_E), log_DN.shape[1]), np.nan)
    out[known] = log_DN[stop[known]] - log_DN[start[known]]
    return out


def neutral_returns(raw_EN: Floats, panel: PricePanel, rows_E: Rows) -> Floats:
    """Returns cleaned of market (constant and beta), sector and size, era by era, by least squares.

    Loadings are read at the era, returns after it. Too few assets for an exposure (fewer than three each) leave it out.
    """
    beta_EN = windows.trailing(daily_returns(panel.close_DN), rows_E, BETA_DAYS, windows.beta_to_mean)
    size_EN = None
    if panel.volume_DN is not None:
        size_EN = windows.trailing(np.log1p(panel.volume_DN), rows_E, SIZE_DAYS, windows.mean)
    out = np.full(raw_EN.shape, np.nan)
    for era in range(len(rows_E)):
        known = np.isfinite(raw_EN[era])
        if known.sum() < 3:
            continue
        exposures = _exposures(known, beta_EN[era], None if size_EN is None else size_EN[era], panel.sectors)
        returns = raw_EN[era, known]
        out[era, known] = returns - exposures @ np.linalg.lstsq(exposures, returns, rcond=1e-8)[0]
    return out


def bin_target(values_EN: Floats) -> Floats:
    """Ranks of each era cut into 0, .25, .5, .75, 1 at 5/20/50/20/5 %; NaN stays NaN."""
    return np.where(np.isfinite(values_EN), np.searchsorted(EDGES, _uniform(values_EN), side="right") / 4.0, np.nan)


def rank_target(values_EN: Floats) -> Floats:
    """Plain ranks of each era, in (0, 1); NaN stays NaN."""
    return _uniform(values_EN)


def _uniform(values_EN: Floats) -> Floats:
    known = np.isfinite(values_EN)
    place = np.argsort(np.argsort(np.where(known, values_EN, np.nan), axis=1, kind="stable"), axis=1, kind="stable")
    return np.where(known, (place + 0.5) / np.maximum(known.sum(axis=1, keepdims=True), 1), np.nan)


def _exposures(known: NDArray[np.bool_], beta: Floats, size: Floats | None, sectors: tuple[str, ...] | None) -> Floats:
    columns = [np.ones(int(known.sum())), _standard(beta[known])]
    if size is not None:
        columns.append(_standard(size[known]))
    if sectors is not None:
        names = np.array(sectors)[known]
        columns += [(names == name).astype(float) for name in np.unique(names) if (names == name).sum() >= 3]
    return np.stack(columns[: max(1, int(known.sum()) // 3)], axis=1)


def _standard(values: Floats) -> Floats:
    """Gaussian ranks with 0 for missing values: an exposure that no outlier can bend."""
    known = np.isfinite(values)
    out = np.zeros(len(values))
    if known.any():
        place = np.argsort(np.argsort(values[known], kind="stable"), kind="stable")
        out[known] = ndtri((place + 0.5) / known.sum())
    return out
