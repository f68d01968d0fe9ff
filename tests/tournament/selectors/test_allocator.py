"""The exact step from expected scores to weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, nnls

from tournament.scoring.blend import blend, linear_scores, model_correlations
from tournament.scoring.ranks import power_15
from tournament.selectors.allocator import best_blend, capped, non_negative_minimum, surrogate_corr

ALL = np.ones(4, dtype=bool)


def correlations(seed: int = 0, models: int = 4) -> np.ndarray:
    """A random positive definite correlation matrix."""
    factors = np.random.default_rng(seed).normal(size=(models, 6))
    covariance = factors @ factors.T
    scale = np.sqrt(np.diag(covariance))
    return covariance / scale[:, None] / scale


def test_uncorrelated_models_weigh_in_proportion_to_their_scores() -> None:
    weights = best_blend(np.array([0.03, 0.01, -0.02, 0.0]), np.eye(4), ALL)

    assert weights == pytest.approx([0.75, 0.25, 0.0, 0.0])


@pytest.mark.parametrize("seed", range(5))
def test_no_other_blend_is_expected_to_score_higher(seed: int) -> None:
    mu, likeness = np.random.default_rng(seed).normal(0.01, 0.02, 4), correlations(seed)
    penalized = likeness + 0.1 * np.eye(4)

    def loss(raw: np.ndarray) -> float:
        return -float(mu @ raw / np.sqrt(raw @ penalized @ raw))

    best = min(
        minimize(loss, start, bounds=[(1e-9, 1)] * 4).fun for start in np.random.default_rng(9).uniform(0, 1, (20, 4))
    )

    assert loss(best_blend(mu, likeness, ALL)) <= best + 1e-6


def test_clones_share_what_one_of_them_would_get() -> None:
    likeness = np.eye(3)
    likeness[0, 1] = likeness[1, 0] = 1.0

    weights = best_blend(np.array([0.02, 0.02, 0.02]), likeness, np.ones(3, dtype=bool), ridge=1e-6)

    assert weights[0] + weights[1] == pytest.approx(weights[2], rel=1e-3)


def test_when_nothing_is_expected_to_score_all_weigh_the_same() -> None:
    assert best_blend(np.full(4, -0.01), np.eye(4), ALL) == pytest.approx(np.full(4, 0.25))


def test_the_surrogate_is_the_pearson_correlation_of_the_blend() -> None:
    rng = np.random.default_rng(1)
    predictions, target = rng.uniform(size=(400, 4)).astype(np.float32), rng.choice([0, 0.25, 0.5, 0.75, 1.0], 400)
    weights = np.array([0.1, 0.2, 0.3, 0.4])

    value = surrogate_corr(weights, linear_scores(predictions, target), model_correlations(predictions))

    powered = power_15(target - target.mean())
    assert value == pytest.approx(np.corrcoef(blend(predictions, weights), powered)[0, 1], abs=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_the_pivoting_finds_what_a_non_negative_least_squares_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models = int(rng.integers(2, 90))
    quadratic, linear = correlations(seed, models) + 0.05 * np.eye(models), rng.normal(0.0, 0.02, models)
    factor = np.linalg.cholesky(quadratic)

    expected, _ = nnls(factor.T, np.linalg.solve(factor, linear))

    assert non_negative_minimum(quadratic, linear) == pytest.approx(expected, abs=1e-9)


def test_a_flood_of_clones_moves_nobody_elses_weight() -> None:
    mu, likeness = np.array([0.02, 0.015, 0.01, 0.005]), correlations(3)
    flood = np.array([0, 1, 2, 3, *[1] * 10])

    alone = best_blend(mu, likeness, ALL)
    flooded = best_blend(mu[flood], likeness[np.ix_(flood, flood)], np.ones(14, dtype=bool))

    assert flooded[[0, 2, 3]] == pytest.approx(alone[[0, 2, 3]], abs=1e-6)
    assert flooded[[1, *range(4, 14)]].sum() == pytest.approx(alone[1], abs=1e-6)


def test_stickiness_draws_to_the_previous_weights() -> None:
    mu, likeness, previous = np.array([0.03, 0.02, 0.01, 0.0]), correlations(1), np.array([0.0, 0.1, 0.2, 0.7])

    free = best_blend(mu, likeness, ALL)
    sticky = best_blend(mu, likeness, ALL, previous_M=previous, stickiness=1.0)
    stuck = best_blend(mu, likeness, ALL, previous_M=previous, stickiness=1e6)

    assert np.abs(sticky - previous).sum() < np.abs(free - previous).sum()
    assert stuck == pytest.approx(previous, abs=1e-4)


def test_no_owner_weighs_more_than_the_cap() -> None:
    weights, owners = np.array([0.5, 0.2, 0.2, 0.1]), np.array([0, 0, 1, 2])

    cut = capped(weights, owners, 0.4)

    assert np.bincount(owners, weights=cut) == pytest.approx([0.4, 0.4, 0.2])
    assert cut[0] / cut[1] == pytest.approx(2.5)
    assert capped(weights, owners, 0.1) == pytest.approx([1 / 3 * 5 / 7, 1 / 3 * 2 / 7, 1 / 3, 1 / 3])
