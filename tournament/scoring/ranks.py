"""Ranks of whole panels at once.

Shape suffixes: N rows (assets), M models. A panel is sorted once; every score is then read off the sorted order,
because a rank-gaussian column is one fixed table of quantiles put in another order.
Ties share the mean of their ranks; NaN stays NaN. Source: numerai-tools 0.7, scoring.py (`tie_kept_rank`, `gaussian`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Panel = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class SortedPanel:
    """Columns of a panel without NaN, sorted: `order_MN` (row of each place) and `half_MN`.

    `half_MN` is twice the shared rank of each place, counted from 0; None when no column has a tie.
    """

    order_MN: NDArray[np.intp]
    half_MN: NDArray[np.intp] | None
    constant_M: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """N."""
        return int(self.order_MN.shape[1])

    def gaussian_MN(self) -> Floats:
        """Rank-gaussian value of each sorted place (M x N); one row (1 x N) when there are no ties."""
        table = gaussian_table(self.rows)
        return table[None, ::2] if self.half_MN is None else table[self.half_MN]

    def dot(self, values_MN: Floats, lookup_N: Floats) -> Floats:
        """Dot of each column's place values (M x N, or one row for all) with a vector in row order (N); length M."""
        looked_up_MN = lookup_N.take(self.order_MN)
        return looked_up_MN @ values_MN[0] if len(values_MN) == 1 else np.einsum("mn,mn->m", values_MN, looked_up_MN)


@lru_cache(maxsize=32)
def gaussian_table(rows: int) -> Floats:
    """Gaussian quantiles of every possible shared rank 0, 1/2, 1, ... of `rows` values; length 2 rows - 1."""
    table = ndtri((np.arange(2 * rows - 1) / 2 + 0.5) / rows)
    table.setflags(write=False)
    return np.asarray(table)


def sort_panel(panel_NM: Panel) -> SortedPanel:
    """Sort every column of a panel that holds no NaN; equal values keep the order of their rows."""
    panel_MN = np.ascontiguousarray(panel_NM.T)
    order_MN, differs = _sort_packed(panel_MN) if panel_MN.dtype == np.float32 else _sort_values(panel_MN)
    half_MN = None if differs.all() else _half_ranks(differs)
    return SortedPanel(order_MN, half_MN, np.asarray(~differs.any(axis=1)))


def _sort_packed(panel_MN: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Order of float32 rows, and whether each place differs from the next.

    Value and row number are packed into one integer, whose plain sort is faster than any argsort: the bits of a
    positive float order as the float does; those of a negative one in reverse, so they are flipped.
    """
    bits = (panel_MN + np.float32(0)).view(np.uint32)  # + 0 turns -0 into 0, which must tie with it
    ordered = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    packed = np.sort(ordered << np.uint64(32) | np.arange(panel_MN.shape[1], dtype=np.uint64), axis=1)
    values = packed >> np.uint64(32)
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.intp), values[:, 1:] != values[:, :-1]


def _sort_values(panel_MN: Panel) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Order of rows of any other type, and whether each place differs from the next."""
    order_MN = np.argsort(panel_MN, axis=1, kind="stable")
    starts = np.arange(len(panel_MN))[:, None] * panel_MN.shape[1]
    values = panel_MN.ravel().take(order_MN + starts)
    return order_MN, values[:, 1:] != values[:, :-1]


def _half_ranks(differs: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First plus last place of the tie group of each place: twice its shared rank."""
    models, gaps = differs.shape
    places = np.arange(gaps + 1)
    edge = np.ones((models, 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), places, 0), axis=1)
    ends = np.where(np.hstack([differs, edge]), places, gaps)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(first + last)


def tie_kept_ranks(panel_NM: Panel) -> Floats:
    """(mean rank - 1/2) / count of each column's non-NaN values, in (0, 1); N x M."""
    return _by_column(panel_NM, lambda ordered: ((_halves(ordered) / 2) + 0.5) / ordered.rows)


def gaussian_ranks(panel_NM: Panel) -> Floats:
    """Gaussian quantile of each value's tie-kept rank; N x M, NaN stays NaN."""
    return _by_column(panel_NM, lambda ordered: ordered.gaussian_MN())


def power_15(values: Floats) -> Floats:
    """Sign-kept power 3/2: more weight to the tails."""
    return np.asarray(np.sign(values) * np.abs(values) ** 1.5)


def columns_by_mask(known_NM: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Groups of columns that have values in the same rows: (row mask, column indices) of each group."""
    full = known_NM.all(axis=0)
    groups: dict[bytes, list[int]] = {}
    for column in np.flatnonzero(~full):
        groups.setdefault(known_NM[:, column].tobytes(), []).append(int(column))
    found = [(known_NM[:, members[0]], np.array(members)) for members in groups.values()]
    if full.any():
        found.insert(0, (np.ones(len(known_NM), dtype=bool), np.flatnonzero(full)))
    return found


def _halves(ordered: SortedPanel) -> NDArray[np.intp]:
    return 2 * np.arange(ordered.rows)[None, :] if ordered.half_MN is None else ordered.half_MN


def _by_column(panel_NM: Panel, values_of: Any) -> Floats:
    panel_NM = np.asarray(panel_NM)
    out = np.full(panel_NM.shape, np.nan)
    for rows, columns in columns_by_mask(~np.isnan(panel_NM)):
        if not rows.any():
            continue
        ordered = sort_panel(panel_NM[np.ix_(rows, columns)])
        block_MN = np.empty(ordered.order_MN.shape)
        np.put_along_axis(block_MN, ordered.order_MN, np.broadcast_to(values_of(ordered), block_MN.shape), axis=1)
        out[np.ix_(rows, columns)] = block_MN.T
    return out
