"""Everything that books are decided on, prepared once: what was known at the close of every decision.

Shape suffixes: D decisions (oldest first), T days, N assets of the panel, U assets that a book may hold, M models,
B blends (the first is the default's), C columns of what is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tournament.archive import ArchivedRound, history_from_rounds
from tournament.errors import BadInput, Fault
from tournament.evaluation.walk_forward import blend_corr, walk_forward
from tournament.markets.context import CONTEXT_NAMES, context_matrix
from tournament.markets.panel import PricePanel
from tournament.portfolio.config import BacktestConfig
from tournament.portfolio.decision import Estimate, estimate, recent_returns
from tournament.portfolio.risk import Floats
from tournament.scoring.blend import standardized_ranks
from tournament.scoring.ranks import gaussian_ranks
from tournament.selectors.protocol import History, equal_weights
from tournament.selectors.registry import make

BLENDS = ("ridge", "equal", "stake", "trailing")
"""Selectors whose blends can be held; the first is the meta-model that the convex allocator holds."""
MARKET = ("volatility", "volatility_trend", "dispersion", "average_correlation", "market_trend_3", "drawdown")
"""What is seen of prices, whatever else the tournament tells."""
FIRST_WEIGHED = 12
"""Rounds before which all models weigh alike."""
CORR_HALF_LIFE = 13.0
"""Rounds, of the mean corr of a blend that is seen."""
TYPICAL_CORR = 0.02
CLIP = 4.0
LEAST_SEEN = 20
"""Decisions whose mean and spread a context is measured by before it is shown as anything but 0."""


@dataclass(frozen=True, slots=True)
class Tournament:
    """What happened: closes, and at some of them (`row_D`) the predictions of models for the days that follow.

    A prediction is NaN where the asset may not be held, all of a model's where it did not submit. Context columns are
    what the tournament tells besides, known at the decision's close; there may be none.
    """

    dates_T: NDArray[np.datetime64]
    close_TN: Floats
    row_D: NDArray[np.int64]
    predictions_DNM: NDArray[np.float32]
    stakes_DM: Floats
    context_DC: Floats
    horizon_days: int = 20

    def __post_init__(self) -> None:
        """Refuse shapes that do not meet, and decisions that are out of order."""
        decisions, models = len(self.row_D), self.predictions_DNM.shape[2]
        shapes = (self.predictions_DNM.shape[:2], self.stakes_DM.shape, len(self.context_DC), len(self.dates_T))
        if shapes != ((decisions, self.close_TN.shape[1]), (decisions, models), decisions, len(self.close_TN)):
            raise BadInput(Fault("shape", f"{decisions} decisions of {models} models meet shapes {shapes}"))
        if decisions < 3 or (np.diff(self.row_D) < 1).any() or self.row_D[-1] >= len(self.close_TN):
            raise BadInput(Fault("decisions", "give at least three rows of the closes, in order"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What was known at a close, of the assets that may be held from it on."""

    row: int
    here_U: NDArray[np.intp]
    blend_UB: Floats
    scale_U: Floats
    known: Estimate
    seen_C: Floats
    """Market, mean corr of every blend, and how like the first the others are: the same columns in any season."""
    told_C: Floats
    """The tournament's own context."""


@dataclass(frozen=True, slots=True)
class Season:
    """Decisions with the closes that later tell what they earned, and what the default allocator did in them."""

    close_TN: Floats
    decisions: tuple[Decision, ...]
    blends: tuple[str, ...]
    config: BacktestConfig
    horizon_decisions: int
    """Decisions after which a prediction's target is known."""
    default_DN: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """Weights that the convex allocator at its defaults holds at each decision's close."""
    default_paid_D: Floats = field(default_factory=lambda: np.zeros(0))
    """What its book of each decision was paid, NaN where that is not known yet."""
    default_net_T: Floats = field(default_factory=lambda: np.zeros(0))
    """Its net return of every day, from cash; NaN before the first decision and after the last known day."""

    @property
    def last(self) -> int:
        """How many decisions have a next one, and closes to tell what their book earned until it was sold."""
        delay = self.config.execution.delay_days
        rows = np.array([one.row for one in self.decisions])
        return int((rows[1:] + delay < len(self.close_TN)).sum())


def prepare(told: Tournament, config: BacktestConfig, *, blends: Sequence[str] = BLENDS) -> Season:
    """The decisions of a tournament; each reads what was known at its own close. Raises BadInput."""
    gap, delay = int(np.diff(told.row_D).min()), config.execution.delay_days
    if gap < delay:
        found = f"decisions {gap} days apart with a delay of {delay} days"
        raise BadInput(Fault("delay", found, "a book must be filled before the next is chosen"))
    history = as_history(told, delay_days=delay)
    weights_BDM = np.stack([_weights(name, history) for name in blends])
    told_DC = in_own_spreads(told.context_DC)
    seen_DC = np.hstack([in_own_spreads(_market(told)), known_corrs(weights_BDM, history)])
    decisions = tuple(
        _decision(told, place, weights_BDM[:, place], (seen_DC[place], told_DC[place]), config)
        for place in range(len(told.row_D))
    )
    return Season(told.close_TN, decisions, tuple(blends), config, -(-(told.horizon_days + delay) // gap))


def _market(told: Tournament) -> Floats:
    """What prices say at each decision (D x 6)."""
    panel = PricePanel(told.dates_T, tuple(map(str, range(told.close_TN.shape[1]))), told.close_TN)
    return context_matrix(panel, told.row_D)[:, [CONTEXT_NAMES.index(name) for name in MARKET]]


def as_history(told: Tournament, *, delay_days: int) -> History:
    """The rounds as selectors see them: targets are ranks of the return from the fill over the horizon."""
    models = tuple(f"model_{place:03d}" for place in range(told.predictions_DNM.shape[2]))
    rounds = (_round(told, place, models, delay_days) for place in range(len(told.row_D)))
    return history_from_rounds(rounds, tuple(f"context_{c}" for c in range(told.context_DC.shape[1])), models)


def _round(told: Tournament, place: int, models: tuple[str, ...], delay_days: int) -> ArchivedRound:
    row, panel_NM = int(told.row_D[place]), told.predictions_DNM[place]
    there_M, there_N = np.isfinite(panel_NM).any(axis=0), np.isfinite(panel_NM).any(axis=1)
    start, end = row + delay_days, row + delay_days + told.horizon_days
    target_N = None
    if end < len(told.close_TN):
        grown_N = told.close_TN[end, there_N] / told.close_TN[start, there_N]
        target_N = np.asarray(gaussian_ranks(grown_N[:, None]))[:, 0]
    opens = _evening(told.dates_T[row])
    resolves = _evening(told.dates_T[end]) if target_N is not None else opens + np.timedelta64(10_000, "D")
    names = tuple(np.array(models)[there_M])
    return ArchivedRound(
        place + 1, opens, opens, resolves, tuple(map(str, np.flatnonzero(there_N))), names,
        np.nan_to_num(panel_NM[there_N][:, there_M]), target_N, told.context_DC[place], opens,
        dict(zip(names, told.stakes_DM[place, there_M].tolist(), strict=True)),
    )  # fmt: skip


def _evening(date: np.datetime64) -> np.datetime64:
    return date.astype("datetime64[s]") + np.timedelta64(18, "h")


def _weights(name: str, history: History) -> Floats:
    """Weights of a selector led through all rounds (D x M); equal ones in the first."""
    weights_DM = walk_forward(history, make(name), warmup=FIRST_WEIGHED, retrain_every=len(history)).weights_RM
    first_DM = [equal_weights(active_M) for active_M in history.active_RM[:FIRST_WEIGHED]]
    return np.vstack([first_DM, weights_DM[FIRST_WEIGHED:]])


def known_corrs(weights_BDM: Floats, history: History) -> Floats:
    """Mean corr of each blend over the rounds resolved by each opening, newer ones counting more (D x B)."""
    corr_DB = np.stack([blend_corr(weights_DM, history) for weights_DM in weights_BDM], axis=1)
    opens_D, resolves_D = history.opens_at_R, history.resolves_at_R
    return np.stack([_recent_mean(corr_DB, resolves_D <= now) for now in opens_D])


def _recent_mean(corr_DB: Floats, known_D: NDArray[np.bool_]) -> Floats:
    """Exponentially weighted mean of the known rows, shrunk by one half-life of zeros, in typical corrs."""
    known_DB = corr_DB[known_D & np.isfinite(corr_DB).all(axis=1)]
    weight_D = 0.5 ** (np.arange(len(known_DB))[::-1] / CORR_HALF_LIFE)
    return np.asarray(weight_D @ known_DB / (weight_D.sum() + CORR_HALF_LIFE) / TYPICAL_CORR)


def in_own_spreads(context_DC: Floats) -> Floats:
    """Each context less the mean of those before it, in their spreads; 0 while few were seen or one is missing."""
    out_DC = np.zeros_like(context_DC)
    for place in range(LEAST_SEEN, len(context_DC)):
        past_C = context_DC[:place]
        count_C = np.maximum(np.isfinite(past_C).sum(axis=0), 1)
        mean_C = np.nansum(past_C, axis=0) / count_C
        spread_C = np.sqrt(np.nansum((past_C - mean_C) ** 2, axis=0) / count_C)
        here_C = (context_DC[place] - mean_C) / np.maximum(spread_C, 1e-9)
        out_DC[place] = np.clip(np.nan_to_num(here_C), -CLIP, CLIP)
    return out_DC


def _decision(
    told: Tournament, place: int, weights_BM: Floats, seen: tuple[Floats, Floats], config: BacktestConfig
) -> Decision:
    """The blends over the assets that may be held, their risk, and what is seen of market and models."""
    row, panel_NM = int(told.row_D[place]), told.predictions_DNM[place]
    known_TN = told.close_TN[: row + 1]
    past_TN = recent_returns(known_TN, config.risk)
    enough_N = np.isfinite(past_TN).sum(axis=0) >= min(config.risk.least_days, max(2, len(past_TN) - 1))
    here_U = np.flatnonzero(np.isfinite(panel_NM).any(axis=1) & np.isfinite(known_TN[-1]) & enough_N)
    if len(here_U) < 2:
        raise BadInput(Fault("assets", f"decision {place}: {len(here_U)} assets have predictions, a close and history"))
    there_M = np.isfinite(panel_NM[here_U]).any(axis=0)
    blend_UB = standardized_ranks(standardized_ranks(panel_NM[here_U][:, there_M]) @ weights_BM[:, there_M].T)
    known = estimate(known_TN, here_U, config.risk)
    scale_U = config.signal.expected_corr * known.volatility_U * np.sqrt(config.signal.horizon_days)
    alike_B = blend_UB[:, :1].T @ blend_UB[:, 1:] / len(blend_UB)
    return Decision(row, here_U, blend_UB, scale_U, known, np.concatenate([seen[0], alike_B[0]]), seen[1])
