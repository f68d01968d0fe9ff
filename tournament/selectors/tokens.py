"""What is known of each model when a round opens, for all rounds at once.

Shape suffixes: Q query rounds, R support rounds, M models, T tokens, E contexts to ask in, K context columns. Row q
reads scores resolved by q's opening only: the mask known_QR is part of every sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.selectors.allocator import copies
from tournament.selectors.protocol import Floats, History, Query
from tournament.selectors.weather import Beliefs

HALF_LIVES = (4.0, 13.0, 40.0, 120.0)
HALF_LIFE = 40.0
BANDWIDTHS = (0.5, 1.0)
SHRINK_ROUNDS = 6.0
"""A model's mean is shrunk to the mean of all models as if it had this many rounds of it."""
SCALE = 50.0
"""Scores are about 0.02; networks want about 1."""
TOKENS = (*(f"trailing_{life:g}" for life in HALF_LIVES), *(f"similar_{width:g}" for width in BANDWIDTHS),
          "regime", "deviation", "seen", "likeness")  # fmt: skip
MEANS = len(HALF_LIVES) + len(BANDWIDTHS) + 1


def known_rounds(queries: History, support: History) -> NDArray[np.bool_]:
    """Whether support round r was resolved when query round q opened (Q x R)."""
    return support.resolves_at_R[None, :] <= queries.opens_at_R[:, None]


def tokens(queries: History, support: History, beliefs: Beliefs, copies_QM: Floats | None = None) -> Floats:
    """Tokens of every model in every query round (Q x M x T); `copies_QM` of `copies_in` saves time where at hand."""
    copies_QM = copies_in(queries) if copies_QM is None else copies_QM
    told_QMT = score_tokens(queries, support, beliefs, copies_QM)
    return np.concatenate([told_QMT, likeness(queries, copies_QM)[..., None]], axis=2)


def tokens_in_contexts(query: Query, support: History, context_EK: Floats, beliefs: Beliefs) -> Floats:
    """Tokens of one query had it opened in each of these contexts (E x M x T)."""
    asked = in_contexts(query, support, context_EK)
    copies_EM = copies_in(asked)
    told_EMT = score_tokens(asked, support, beliefs, copies_EM)
    likeness_1M1 = likeness(asked.take(slice(0, 1)), copies_EM[:1])[..., None]  # the same in every context
    return np.concatenate([told_EMT, np.broadcast_to(likeness_1M1, (*told_EMT.shape[:2], 1))], axis=2)


def score_tokens(queries: History, support: History, beliefs: Beliefs, copies_QM: Floats) -> Floats:
    """All tokens but the last, which alone reads how alike the models are (Q x M x (T - 1))."""
    known_QR = known_rounds(queries, support).astype(float)
    lag_QR = (queries.opens_at_R[:, None] - support.opens_at_R[None, :]).astype("timedelta64[s]").astype(float)
    age_QR = np.maximum(lag_QR / cadence(support), 0.0)
    known_RM = np.isfinite(support.scores_RM)
    scores_RM, scored_RM = np.where(known_RM, support.scores_RM, 0.0), known_RM.astype(float)
    weights = [known_QR * 0.5 ** (age_QR / life) for life in HALF_LIVES]
    distance_QR = context_distance(queries.context_RK, support)
    weights += [known_QR * 0.5 ** (age_QR / 160.0) * np.exp(-0.5 * distance_QR / width**2) for width in BANDWIDTHS]
    weights.append(known_QR * 0.5 ** (age_QR / 160.0) * beliefs.alike())
    # all kinds of weights in one product: each alone would read the whole support again
    copies_WM = np.tile(copies_QM, (len(weights), 1))
    means_WM = shrunk_means(np.concatenate(weights), scores_RM, scored_RM, copies_WM) * SCALE
    means = means_WM.reshape(len(weights), *copies_QM.shape)
    count_QM = known_QR @ scored_RM
    spread_QM = np.sqrt(np.maximum(known_QR @ scores_RM**2 / np.maximum(count_QM, 1.0), 0.0))
    return np.stack([*means, spread_QM * 10.0, np.log1p(count_QM) / 5.0], axis=2)


def cadence(support: History) -> float:
    """Seconds from one round to the next."""
    gaps = np.diff(support.opens_at_R).astype("timedelta64[s]").astype(float)
    return max(float(np.median(gaps)), 1.0) if len(gaps) else 1.0


def shrunk_means(
    weight_QR: Floats, scores_RM: Floats, scored_RM: NDArray[Any], copies_QM: Floats | None = None
) -> Floats:
    """Weighted mean score of each model, shrunk to the mean over all models (Q x M).

    Weights are scaled so that the heaviest round counts one: shrinkage then is in rounds. With `copies_QM` (or one row
    for all) a family of copies counts as one model in the common mean: else a flood of them would move everyone.
    """
    weight_QR = weight_QR / np.maximum(weight_QR.max(axis=1, keepdims=True), 1e-12)
    total_QM = weight_QR @ scores_RM
    count_QM = weight_QR @ scored_RM
    share_QM = np.ones((1, 1)) if copies_QM is None else 1.0 / copies_QM
    counted_Q1 = (count_QM * share_QM).sum(axis=1, keepdims=True)
    common_Q1 = (total_QM * share_QM).sum(axis=1, keepdims=True) / np.maximum(counted_Q1, 1e-12)
    return np.asarray((total_QM + SHRINK_ROUNDS * common_Q1) / (count_QM + SHRINK_ROUNDS))


def copies_in(queries: History) -> Floats:
    """How many models each model of each round stands for (Q x M); worked out once where all rounds are alike."""
    correlations_QMM, active_QM = queries.correlations_RMM, queries.active_RM
    if len(queries) and correlations_QMM.strides[0] == 0 and (active_QM == active_QM[0]).all():
        return np.tile(copies(correlations_QMM[0], active_QM[0]), (len(queries), 1))
    found = [copies(*round) for round in zip(correlations_QMM, active_QM, strict=True)]
    return np.array(found).reshape(active_QM.shape)


def recent_means(support: History, half_life: float = HALF_LIFE, *, copies_M: Floats | None = None) -> Floats:
    """Exponentially weighted, shrunk mean score of each model over the rounds of a support, all resolved (M)."""
    age = np.arange(len(support))[::-1]
    scored = np.isfinite(support.scores_RM)
    scores = np.where(scored, support.scores_RM, 0.0)
    return shrunk_means((0.5 ** (age / half_life))[None], scores, scored, copies_M)[0]


def context_distance(context_QK: Floats, support: History) -> Floats:
    """Mean squared distance of contexts in units of the support's spread (Q x R); missing columns count nothing."""
    if not len(support):
        return np.zeros((len(context_QK), 0))
    known_RK = np.isfinite(support.context_RK)
    count_K = np.maximum(known_RK.sum(axis=0), 1)
    centre = np.where(known_RK, support.context_RK, 0.0).sum(axis=0) / count_K
    away_RK = np.where(known_RK, support.context_RK - centre, 0.0)
    spread = np.sqrt((away_RK**2).sum(axis=0) / count_K) + 1e-12
    query_QK = np.nan_to_num(np.clip((context_QK - centre) / spread, -3, 3))
    support_RK = np.nan_to_num(np.clip((support.context_RK - centre) / spread, -3, 3))
    squares = (query_QK**2).sum(1)[:, None] + (support_RK**2).sum(1)[None, :] - 2 * query_QK @ support_RK.T
    return np.asarray(np.maximum(squares, 0.0) / max(1, query_QK.shape[1]))


def likeness(queries: History, copies_QM: Floats) -> Floats:
    """Correlation of each model with the equal-weight blend of its round, copies counted once (Q x M)."""
    active_QM = queries.active_RM / copies_QM
    share_QM = active_QM / np.maximum(active_QM.sum(axis=1, keepdims=True), 1e-12)
    with_blend = np.array([_products(*round) for round in zip(queries.correlations_RMM, share_QM, strict=True)])
    variance = (with_blend * share_QM).sum(axis=1)
    return np.asarray(with_blend / np.sqrt(np.maximum(variance, 1e-9))[:, None])


def _products(correlations_MM: NDArray[np.float32], share_M: Floats) -> Floats:
    """Correlations times shares (M); a missing one is none."""
    product_M = correlations_MM @ share_M.astype(np.float32)  # mixed, the table would be copied first
    if not np.isfinite(product_M).all():
        return np.asarray(np.nan_to_num(correlations_MM) @ share_M)
    return product_M.astype(float)


def as_history(query: Query, support: History) -> History:
    """A query as a history of one round, beside its support."""
    return in_contexts(query, support, query.context_K[None])


def in_contexts(query: Query, support: History, context_EK: Floats) -> History:
    """A query as a history of as many rounds as contexts, each as if the round had opened in that context."""
    asked, models = len(context_EK), len(query.models)
    opens_at_E = np.repeat(query.opens_at, asked)
    correlations_EMM = np.broadcast_to(query.table().astype(np.float32), (asked, models, models))
    return History(
        np.zeros(asked, dtype=np.int64), query.models, opens_at_E, opens_at_E,
        np.broadcast_to(query.active_M, (asked, models)), np.full((asked, models), np.nan), correlations_EMM,
        context_EK, support.context_names, np.broadcast_to(query.stakes_M, (asked, models)),
    )  # fmt: skip
