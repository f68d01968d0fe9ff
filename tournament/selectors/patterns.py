"""What a round said of the few directions along which models differ: the score pattern, free of how models are counted.

Shape suffixes: R rounds, M models, Z directions, C context columns, W widths of smoothing, B bins of rounds. The
leading directions of the query's predictions, each family of copies counted once, carry nearly all that blends can
differ by. A round's scores seen through them, s = L z + rest, give z with noise alike in all directions: what is
learned of z in one tournament holds in another. Source: ours; the projection is Bartlett's (1937) factor score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.sparse import csr_array

from tournament.selectors.allocator import Alike, among, copies
from tournament.selectors.protocol import Floats, History, Query
from tournament.selectors.sketch import Sketch
from tournament.selectors.spectrum import FEW, leading
from tournament.selectors.tokens import cadence

DIRECTIONS = 20
BINS = 256
PATTERN_WIDTHS = (2.0, 6.0)
CONTEXT_WIDTHS = (0.0, 2.0, 6.0)
"""Half-lives in rounds; 0: as it is."""
OWN_VARIANCE = 0.05
SHRINK = 0.02
CLIP = 4.0
MOST = 0.7
CHANGES_AT_ONCE = 4_000
"""So many comings and goings are summed at once: 13 MB."""


@dataclass(frozen=True, slots=True)
class Directions:
    """Loadings of the models (M x Z, 0 for absent ones), shares of variance (Z), and copies of each model (M)."""

    loading_MZ: Floats
    share_Z: Floats
    copies_M: Floats


@dataclass(frozen=True, slots=True)
class Sighting:
    """Everything that a query can be answered from, oldest bin first; patterns in units of their own noise."""

    directions: Directions
    pattern_BZ: Floats
    smooth_BZW: Floats
    weight_B: Floats
    """Share of the models that were scored, counted by what they tell."""
    age_B: Floats
    context_BCW: Floats
    query_context_CW: Floats
    rest_BM: Floats
    """What the directions leave of each model's scores, in units of the patterns' noise; 0 where not scored."""
    scored_BM: Floats
    noise: float
    """Standard deviation of a pattern's noise, in units of scores."""
    rounds_a_bin: int


def sight(query: Query, support: History) -> Sighting:
    """See the resolved rounds of a support as the query's models would. Needs at least one resolved round."""
    directions = leading_directions(query.correlations_MM, query.active_M)
    rows = support.resolved_rows()
    scored_RM = np.isfinite(support.scores_RM[rows]) & query.active_M
    score_RM = np.where(scored_RM, support.scores_RM[rows], 0.0)
    pattern_RZ, weight_R = project(directions, score_RM, scored_RM)
    rest_RM = _rest(directions, score_RM, scored_RM, pattern_RZ)
    noise = min(_noise(directions, rest_RM, scored_RM), _spread(directions, pattern_RZ, weight_R))
    context_RCW, query_context_CW = _contexts(query, support, rows)
    size = -(-len(rows) // BINS)
    lag_R = (query.opens_at - support.opens_at_R[rows]).astype("timedelta64[s]").astype(float)
    smooth_RZW = np.stack([two_sided(pattern_RZ, weight_R, width) for width in PATTERN_WIDTHS], axis=-1)
    return Sighting(
        directions, binned(pattern_RZ / noise, size), binned(smooth_RZW / noise, size), binned(weight_R, size),
        binned(lag_R / cadence(support), size), binned(context_RCW, size), query_context_CW,
        binned(rest_RM, size) / noise, binned(scored_RM.astype(np.float32), size), noise, size,
    )  # fmt: skip


def leading_directions(correlations_MM: Alike, active_M: NDArray[np.bool_]) -> Directions:
    """The leading principal directions of the active models' predictions; a family of copies counts once.

    At most half as many as there are different models, so that something is left to tell the noise by. Each points the
    way of the equal-weight blend.
    """
    chosen = np.flatnonzero(active_M)
    within, places = _within(correlations_MM, chosen)
    submitted = np.zeros(len(within), dtype=bool)
    submitted[places] = True
    held_M = copies(within, submitted)
    copies_M = held_M[places]
    root_M = copies_M**-0.5
    wanted = int(np.clip((1.0 / copies_M).sum() // 2, 1, DIRECTIONS))
    value_Z, _, image_MZ = leading(within, np.where(submitted, held_M**-0.5, 0.0), wanted)
    wanted = len(value_Z)
    loading = image_MZ[places] / root_M[:, None] / np.sqrt(np.maximum(value_Z, 1e-9))
    loading *= np.where((loading / copies_M[:, None]).sum(axis=0) < 0, -1.0, 1.0)
    loading_MZ, share_Z, all_copies_M = (
        np.zeros((len(active_M), DIRECTIONS)),
        np.zeros(DIRECTIONS),
        np.ones(len(active_M)),
    )
    loading_MZ[chosen, :wanted] = loading
    share_Z[:wanted] = value_Z / (1.0 / copies_M).sum()
    all_copies_M[chosen] = copies_M
    return Directions(loading_MZ, share_Z, all_copies_M)


def _within(correlations_MM: Alike, chosen: NDArray[np.intp]) -> tuple[Alike, NDArray[np.intp]]:
    """Correlations that hold those of the chosen models, and their places: of many models all, if most are chosen.

    To copy them out would then cost more than to multiply by the others' zeros. Of many in single precision: that of a
    history's correlations, and read twice as fast.
    """
    if isinstance(correlations_MM, Sketch) or len(chosen) <= FEW:
        return among(correlations_MM, chosen), np.arange(len(chosen))
    singles: Any = np.asarray(correlations_MM, dtype=np.float32)
    if len(chosen) < MOST * len(singles) or not np.isfinite(singles.sum()):
        return among(singles, chosen), np.arange(len(chosen))
    return singles, chosen


def project(directions: Directions, score_RM: Floats, scored_RM: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Patterns (R x Z) of rounds in which some models were scored, and how much each tells (R, 1 where all were)."""
    loading_MZ, size = directions.loading_MZ, directions.loading_MZ.shape[1]
    own_M = np.maximum(1.0 - (loading_MZ**2).sum(axis=1), 0.0) + OWN_VARIANCE
    weighed_MZ = loading_MZ / (own_M * directions.copies_M)[:, None]
    whole = max(float((weighed_MZ * loading_MZ).sum()), 1e-9)
    gram_RZZ = _grams(weighed_MZ, loading_MZ, scored_RM)
    told_R = np.trace(gram_RZZ, axis1=1, axis2=2) / whole
    gram_RZZ[:, np.arange(size), np.arange(size)] += SHRINK * whole / size
    pattern_RZ = np.linalg.solve(gram_RZZ, (score_RM @ weighed_MZ)[..., None])[..., 0]
    return pattern_RZ, told_R


def _grams(weighed_MZ: Floats, loading_MZ: Floats, scored_RM: NDArray[np.bool_]) -> Floats:
    """Sum over each round's scored models of weighed times loading (R x Z x Z), each from the round before.

    Models come and go one by one: so few change from round to round that this costs next to nothing.
    """
    rounds, size = len(scored_RM), loading_MZ.shape[1]
    gram_RZZ = np.zeros((rounds, size, size))
    gram_RZZ[0] = (weighed_MZ * scored_RM[0][:, None]).T @ loading_MZ
    change_RM = scored_RM[1:].astype(np.int8) - scored_RM[:-1]
    row_A, model_A = np.nonzero(change_RM)
    for first in range(0, len(row_A), CHANGES_AT_ONCE):
        row, model = row_A[first : first + CHANGES_AT_ONCE], model_A[first : first + CHANGES_AT_ONCE]
        product_AZZ = weighed_MZ[model][:, :, None] * loading_MZ[model][:, None]
        shape, entries = (rounds, len(row)), (row + 1, np.arange(len(row)))
        sums = csr_array((change_RM[row, model].astype(float), entries), shape=shape)
        gram_RZZ += (sums @ product_AZZ.reshape(len(row), -1)).reshape(gram_RZZ.shape)
    return np.cumsum(gram_RZZ, axis=0)


def _rest(
    directions: Directions, score_RM: Floats, scored_RM: NDArray[np.bool_], pattern_RZ: Floats
) -> NDArray[np.float32]:
    """What the directions leave of the scores (R x M), 0 where there is none; single, as the gate reads it."""
    told_RM = pattern_RZ.astype(np.float32) @ directions.loading_MZ.T.astype(np.float32)
    return np.asarray((score_RM.astype(np.float32) - told_RM) * scored_RM)


def _noise(directions: Directions, rest_RM: NDArray[np.float32], scored_RM: NDArray[np.bool_]) -> float:
    """Standard deviation of a pattern's noise: a model's own share of variance says how its rest should scatter."""
    own_M = np.maximum(1.0 - (directions.loading_MZ**2).sum(axis=1), 0.0) / directions.copies_M
    expected = float(scored_RM.sum(axis=0) @ own_M)
    found = float(np.einsum("rm,rm->m", rest_RM, rest_RM) @ (1.0 / directions.copies_M))
    return float(np.sqrt(max(found, 1e-12) / max(expected, 1e-9)))


def _spread(directions: Directions, pattern_RZ: Floats, weight_R: Floats) -> float:
    """Root mean square of the patterns in the median direction: noise and signal, so more than the noise alone.

    Where few assets make a round's correlations noise themselves, other rounds' scores leave a rest that is no noise of
    the patterns, and what the rest should be is next to nothing: the estimate by the rest can be off by any factor.
    """
    mean_Z = weight_R @ pattern_RZ[:, directions.share_Z > 0] ** 2 / max(float(weight_R.sum()), 1e-9)
    return float(np.sqrt(max(float(np.median(mean_Z)), 1e-12)))


@dataclass(frozen=True, slots=True)
class _Contexts:
    """Contexts of all eras and rounds up to the query, in spreads, smoothed over what came before each."""

    smooth_TCW: Floats
    centre_C: Floats
    spread_C: Floats
    deviation_CW: Floats

    def seen(self, context_TC: Floats) -> Floats:
        """Contexts in spreads; missing values at the centre, far ones clipped."""
        away_TC = np.where(np.isfinite(context_TC), context_TC - self.centre_C, 0.0)
        return np.clip(away_TC / self.spread_C, -CLIP, CLIP)


def _all_contexts(query: Query, support: History) -> _Contexts:
    context_TC = np.vstack([support.contexts(), query.context_K[None]])
    known_TC = np.isfinite(context_TC)
    count_C = np.maximum(known_TC.sum(axis=0), 1)
    centre_C = np.where(known_TC, context_TC, 0.0).sum(axis=0) / count_C
    away_TC = np.where(known_TC, context_TC - centre_C, 0.0)
    spread_C = np.sqrt((away_TC**2).sum(axis=0) / count_C) + 1e-12
    seen_TC = np.clip(away_TC / spread_C, -CLIP, CLIP)
    smooth_TCW = np.stack([one_sided(seen_TC, width) for width in CONTEXT_WIDTHS], axis=-1)
    deviation_CW = smooth_TCW.std(axis=0) + 1e-6
    return _Contexts(smooth_TCW / deviation_CW, centre_C, spread_C, deviation_CW)


def _contexts(query: Query, support: History, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Contexts of the rows (R x C x W) and of the query (C x W)."""
    smooth_TCW = _all_contexts(query, support).smooth_TCW
    first = len(smooth_TCW) - 1 - len(support)
    return smooth_TCW[first + rows], smooth_TCW[-1]


def query_contexts(query: Query, support: History, context_EC: Floats) -> Floats:
    """The query's smoothed context had it opened in each of these, all else as it is, the scale too (E x C x W)."""
    found = _all_contexts(query, support)
    share_W = np.array([newest_share(width, len(found.smooth_TCW)) for width in CONTEXT_WIDTHS])
    moved_EC = found.seen(context_EC) - found.seen(query.context_K)
    return np.asarray(found.smooth_TCW[-1] + moved_EC[..., None] * share_W / found.deviation_CW)


def newest_share(half_life: float, rows: int) -> float:
    """Weight of the newest of so many rows in `one_sided`'s last mean."""
    return 1.0 if half_life <= 0 else float(1.0 / (0.5 ** (np.arange(rows) / half_life)).sum())


def one_sided(values: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean of each row and those before it."""
    if half_life <= 0 or not len(values):
        return values
    keep = 0.5 ** (1.0 / half_life)
    summed = lfilter([1.0], [1.0, -keep], values, axis=0)
    weights = lfilter([1.0], [1.0, -keep], np.ones(len(values)))
    return np.asarray(summed / weights[:, None])


def two_sided(values_RZ: Floats, weight_R: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean of each row and those on both sides of it, rows counted by their weight."""
    keep = 0.5 ** (1.0 / half_life)
    stacked = np.column_stack([values_RZ * weight_R[:, None], weight_R])
    forward = lfilter([1.0], [1.0, -keep], stacked, axis=0)
    backward = lfilter([1.0], [1.0, -keep], stacked[::-1], axis=0)[::-1] - stacked
    both = forward + backward
    return np.asarray(both[:, :-1] / np.maximum(both[:, -1:], 1e-6))


def binned(values: NDArray[Any], size: int) -> Floats:
    """Means of `size` rounds that follow each other; the oldest that fill no bin are left out."""
    bins = len(values) // size
    kept = values[len(values) - bins * size :]
    return np.asarray(kept.reshape(bins, size, *values.shape[1:]).mean(axis=1))
