"""How far a market is from every market that a training has seen.

Shape suffixes: T eras and rounds seen (oldest first), K context columns, C those that tell of a regime.
A context's distance is that to the nearest contexts seen, in spreads (root mean square over the columns). It is told in
units of how far apart known contexts lie: the distance that 19 of 20 of them keep from the rest of what was seen, those
left out that share days with them. So about 1 is the edge of the known, whatever the market and however long its past.
Source: k-nearest-neighbour outlier score (Ramaswamy, Rastogi and Shim 2000, definition 1), with the unit ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tournament.regimes.filters import fit_scaling
from tournament.regimes.model import Floats, Scaling, take_logs

NEAREST = 3
"""The third nearest: one odd week in the past makes no market known."""
SHARED_ERAS = 13
"""Contexts look back a quarter: nearer ones than this are alike because they are made of the same days."""
EDGE = 0.95
LEAST_SEEN = 40
FAR = 12.0
"""Spreads beyond which a column counts as no farther."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a training has seen of the market."""

    scaling: Scaling
    seen_TC: Floats
    edge: float
    """Distance that 19 of 20 of the contexts seen keep from the others."""

    def novelty(self, context_K: Floats) -> float:
        """Distance of a context to the nearest seen, in units of the edge of the known (0 and above)."""
        return float(_nearest(self.seen_TC, in_spreads(self.scaling, context_K[None]))[0] / self.edge)


def known(context_TK: Floats, names: Sequence[str]) -> Known | None:
    """What these contexts make known; None while they are too few or tell nothing."""
    if len(context_TK) < LEAST_SEEN or not np.isfinite(context_TK).any():
        return None
    scaling = fit_scaling(context_TK, names)
    seen_TC = in_spreads(scaling, context_TK)
    place_T = np.arange(len(seen_TC))
    shares_TT = np.abs(place_T[:, None] - place_T) <= SHARED_ERAS
    edge = float(np.quantile(_nearest(seen_TC, seen_TC, without=shares_TT), EDGE))
    return Known(scaling, seen_TC, edge) if edge > 0 else None


def in_spreads(scaling: Scaling, context_TK: Floats) -> Floats:
    """The telling columns in units of their spread; missing ones at the centre."""
    chosen = take_logs(context_TK[:, scaling.columns_C], scaling.logs_C)
    return np.nan_to_num(np.clip((chosen - scaling.centre_C) / scaling.spread_C, -FAR, FAR))


def _nearest(seen_TC: Floats, asked_EC: Floats, *, without: np.ndarray | None = None) -> Floats:
    """Distance of each asked context to its third nearest seen (E)."""
    squares_ET = ((asked_EC[:, None] - seen_TC) ** 2).mean(axis=2)
    if without is not None:
        squares_ET = np.where(without, np.inf, squares_ET)
    return np.asarray(np.sqrt(np.partition(squares_ET, NEAREST - 1, axis=1)[:, NEAREST - 1]))
