"""What styles earned for a book: its exposures through time, and its gross return parted into styles and selection.

Shape suffixes: T days of the course, N assets, S styles. Exposures of a day are the book's weights at the close before
times the assets' standardised style as it was known then; a style's return is the slope of that day's asset returns on
it, all styles together (with a constant: the market), by least squares. Source: Menchero and Poduri 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.portfolio.decision import daily_returns
from tournament.portfolio.risk import Floats
from tournament.portfolio.sheet.record import Record

STYLES = ("market", "momentum", "reversal", "volatility", "size")
MONTH, QUARTER, YEAR, CLIP = 21, 63, 252, 3.0


@dataclass(frozen=True, slots=True)
class Attribution:
    """Exposures and earnings by style, and what is left to the choice of assets."""

    styles: tuple[str, ...]
    exposure_TS: Floats
    earned_TS: Floats
    selection_T: Floats


def attribute(record: Record) -> Attribution:
    """By market, momentum (12 months less the last), reversal (last month), volatility and, with volumes, size."""
    first, days = record.course.first, len(record.net_T)
    close_TN = record.market.close_TN[: first + days]
    styles_STN = _styles(close_TN, record.market.volume_TN, first, days)
    names = STYLES[: len(styles_STN)]
    weights_TN = np.vstack([np.zeros(close_TN.shape[1]), record.course.weights_TN[:-1]])
    there_TN = np.isfinite(record.returns_TN) & np.isfinite(styles_STN).all(axis=0)
    styles_STN, returns_TN = np.where(there_TN, styles_STN, 0.0), np.where(there_TN, record.returns_TN, 0.0)
    stacked_TNS = np.ascontiguousarray(styles_STN.transpose(1, 2, 0))
    grams_TSS = stacked_TNS.transpose(0, 2, 1) @ stacked_TNS
    pulls_TS = (stacked_TNS.transpose(0, 2, 1) @ returns_TN[:, :, None])[:, :, 0]
    slopes_TS = _solved(grams_TSS, pulls_TS)
    exposure_TS = (weights_TN[:, None, :] @ stacked_TNS)[:, 0, :]
    earned_TS = exposure_TS * slopes_TS
    return Attribution(names, exposure_TS, earned_TS, record.gross_T - earned_TS.sum(axis=1))


def _styles(close_TN: Floats, volume_TN: Floats | None, first: int, days: int) -> Floats:
    """Standardised styles known at the close before each day of the course (S x T x N); NaN where not known."""
    known = np.arange(first, first + days) - 1
    returns_TN = np.nan_to_num(daily_returns(close_TN))
    squares = np.vstack([np.zeros(close_TN.shape[1]), (returns_TN**2).cumsum(axis=0)])
    moved = np.sqrt((squares[known + 1] - squares[np.maximum(known + 1 - QUARTER, 0)]) / QUARTER)
    raw = [_growth(close_TN, known - MONTH, known - YEAR), -_growth(close_TN, known, known - MONTH), moved]
    if volume_TN is not None:
        with np.errstate(divide="ignore"):
            raw.append(np.log(np.where(volume_TN[known] > 0, volume_TN[known], np.nan)))
    return np.stack([np.ones((days, close_TN.shape[1])), *map(_standardised, raw)])


def _growth(close_TN: Floats, late: np.ndarray, early: np.ndarray) -> Floats:
    """Growth between two closes of each day; NaN before there were any."""
    grown_TN = close_TN[np.maximum(late, 0)] / close_TN[np.maximum(early, 0)] - 1.0
    grown_TN[early < 0] = np.nan
    return grown_TN


def _standardised(raw_TN: Floats) -> Floats:
    """Mean 0 and deviation 1 across the assets, clipped; 0 where an asset has none, and for all before any has."""
    known_TN = np.isfinite(raw_TN)
    count_T = np.maximum(known_TN.sum(axis=1, keepdims=True), 1)
    filled_TN = np.where(known_TN, raw_TN, 0.0)
    centred_TN = np.where(known_TN, filled_TN - filled_TN.sum(axis=1, keepdims=True) / count_T, 0.0)
    deviation_T = np.sqrt((centred_TN**2).sum(axis=1, keepdims=True) / count_T)
    return np.clip(
        np.divide(centred_TN, deviation_T, out=np.zeros_like(centred_TN), where=deviation_T > 0), -CLIP, CLIP
    )


def _solved(grams_TSS: Floats, pulls_TS: Floats) -> Floats:
    """Slopes of each day (T x S); 0 for a style that does not vary that day."""
    size = grams_TSS.shape[1]
    ridge = 1e-9 * np.maximum(np.trace(grams_TSS, axis1=1, axis2=2), 1e-12)
    return np.linalg.solve(grams_TSS + ridge[:, None, None] * np.eye(size), pulls_TS[:, :, None])[:, :, 0]
