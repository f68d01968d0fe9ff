"""FFORMA's objective is minus the corr of the blend: its gradient is that, and its curvature bounds it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors import algebra
from tournament.selectors.boosting import Fforma, blend_objective, softmax
from tournament.selectors.protocol import Budget, Floats, History
from tournament.selectors.tokens import SCALE

STEP = 1e-4


def scored() -> History:
    past = history(6, models=5)
    past.scores_RM[2, 1] = np.nan
    return past


def loss(logits: Floats, past: History) -> float:
    """Sum of minus the corr of every round's blend in the objective's units."""
    awake, spread = np.isfinite(past.scores_RM), np.zeros(past.scores_RM.shape)
    spread[awake] = logits
    shares, scores = softmax(spread, awake), np.nan_to_num(past.scores_RM)
    correlations = past.correlations_RMM.astype(float)
    return -sum(
        SCALE * awake[row].sum() * algebra.corr(shares[row], scores[row], correlations[row]) for row in range(len(past))
    )


def differences(past: History, logits: Floats) -> tuple[Floats, Floats]:
    """First and second central differences of the loss along each logit."""
    steps = np.eye(len(logits)) * STEP
    up = np.array([loss(logits + step, past) for step in steps])
    down = np.array([loss(logits - step, past) for step in steps])
    return (up - down) / (2 * STEP), (up + down - 2 * loss(logits, past)) / STEP**2


def test_the_gradient_is_that_of_the_blend_through_the_softmax() -> None:
    past = scored()
    logits = np.random.default_rng(1).normal(size=int(np.isfinite(past.scores_RM).sum()))

    gradient, _ = blend_objective(past)(logits, None)  # type: ignore[arg-type]

    assert gradient == pytest.approx(differences(past, logits)[0], abs=1e-5)


def test_the_curvature_is_positive_and_no_less_than_the_true_one() -> None:
    past = scored()
    logits = np.random.default_rng(2).normal(size=int(np.isfinite(past.scores_RM).sum()))

    _, bound = blend_objective(past)(logits, None)  # type: ignore[arg-type]

    assert (bound > 0).all()
    assert (bound >= np.abs(differences(past, logits)[1]) - 1e-3).all()


def test_a_model_that_adds_nothing_to_the_blend_is_not_raised_by_its_score_alone() -> None:
    """Two clones and a single of the same score: a loss of the members' mean would see no difference between them."""
    likeness = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    past = replace(history(1, models=3), scores_RM=np.full((1, 3), 0.02), correlations_RMM=likeness[None])

    gradient, _ = blend_objective(past)(np.zeros(3), None)  # type: ignore[arg-type]

    assert gradient[0] == gradient[1] > 0
    assert gradient[2] < 0


def test_trees_are_stored_as_text() -> None:
    past = history(80)

    state = Fforma().meta_train([past], Budget())

    assert state.arrays["trees"].tobytes().startswith(b"tree\n")
