"""Selectors led through history: at each round they know what was known when it opened, nothing else.

Shape suffixes: R rounds, M models.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tournament.selectors.allocator import surrogate_corr
from tournament.selectors.duplicates import duplicates
from tournament.selectors.protocol import Budget, Floats, History, Selector, State, equal_weights


@dataclass(frozen=True, slots=True)
class Training:
    """One meta-training: the row before which it happened, and the corr that it saw on rounds kept for validation."""

    row: int
    validation_corr: float


@dataclass(frozen=True, slots=True)
class WalkForward:
    """Weights that a selector gave, round by round; NaN before the warm-up ended."""

    name: str
    weights_RM: Floats
    train_seconds: float
    weigh_milliseconds: Floats
    trainings: tuple[Training, ...] = ()

    def corr(self, history: History) -> Floats:
        """corr of the blend in each round (R), from scores and correlations; NaN where not weighed or not resolved."""
        return blend_corr(self.weights_RM, history)


def walk_forward(
    history: History,
    selector: Selector,
    *,
    warmup: int,
    retrain_every: int,
    seed: int = 0,
    others: Sequence[History] = (),
    tell: Callable[[int], None] = lambda row: None,
) -> WalkForward:
    """Weigh every round after `warmup`; meta-train at the first and every `retrain_every` rounds after it.

    A training due in a round that nobody submitted to is made up in the next.

    Other tournaments, whose markets and contexts may differ, are learned from too: from what was known of them at the
    round's opening by the calendar, and never beyond it.
    """
    weights_RM = np.full(history.scores_RM.shape, np.nan)
    state, train_seconds, milliseconds, trainings, due = None, 0.0, [], [], warmup
    for row in range(warmup, len(history)):
        if not history.active_RM[row].any():
            continue
        now = history.opens_at_R[row]
        known = history.known_at(now)
        if state is None or row >= due:
            due = row - (row - warmup) % retrain_every + retrain_every
            start = time.perf_counter()
            state = selector.meta_train([*(other.known_at(now) for other in others), known], Budget(seed=seed))
            train_seconds += time.perf_counter() - start
            trainings.append(Training(row, _validation(state)))
        start = time.perf_counter()
        query = history.query(row)
        groups = duplicates(query, known)
        # the adapted state goes on, so that no round is taken in twice
        state = selector.adapt(state, groups.known(known, selector.name))
        weights_RM[row] = groups.shared(selector.weights(state, groups.asked(query)))
        milliseconds.append((time.perf_counter() - start) * 1e3)
        tell(row)
    return WalkForward(selector.name, weights_RM, train_seconds, np.array(milliseconds), tuple(trainings))


def _validation(state: State) -> float:
    """The best of the validation figures that a family keeps in its state's config; NaN where it keeps none."""
    figures = [float(one) for one in np.atleast_1d(state.config.get("validation", [])) if one is not None]
    return max((one for one in figures if np.isfinite(one)), default=float("nan"))


def blend_corr(weights_RM: Floats, history: History) -> Floats:
    """corr of each round's blend (R); NaN where weights or scores are missing."""
    out = np.full(len(history), np.nan)
    for row in range(len(history)):
        if np.isfinite(weights_RM[row]).all() and np.isfinite(history.scores_RM[row]).any():
            correlations = history.correlations_RMM[row].astype(float)
            out[row] = surrogate_corr(weights_RM[row], history.scores_RM[row], correlations)
    return out


def equal_corr(history: History) -> Floats:
    """corr of the equal-weight blend of each round (R)."""
    rows: Sequence[Floats] = [
        equal_weights(active) if active.any() else np.full(len(active), np.nan) for active in history.active_RM
    ]
    return blend_corr(np.array(rows), history)
