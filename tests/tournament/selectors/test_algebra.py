"""The algebra of a round agrees with what panels say, and with itself."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest

from tournament.scoring.blend import blend, linear_scores, model_correlations, standardized_ranks
from tournament.scoring.ranks import power_15
from tournament.selectors import algebra


@pytest.fixture
def panel():
    rng = np.random.default_rng(4)
    shared = rng.standard_normal((600, 1))
    predictions = 0.6 * shared + rng.standard_normal((600, 7))
    target = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], 600, p=[0.05, 0.2, 0.5, 0.2, 0.05])
    weights = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.0])
    return predictions, target, weights


@pytest.fixture
def game(panel):
    predictions, target, weights = panel
    return weights, linear_scores(predictions, target), model_correlations(predictions)


def test_corr_is_pearsons_of_the_blend(panel, game):
    predictions, target, weights = panel
    powered = power_15(target - target.mean())

    assert algebra.corr(*game) == pytest.approx(np.corrcoef(blend(predictions, weights), powered)[0, 1], abs=1e-9)


def test_the_scale_of_weights_does_not_matter(game):
    weights, scores, correlations = game

    assert algebra.corr(7 * weights, scores, correlations) == pytest.approx(algebra.corr(*game), abs=1e-12)
    assert algebra.leave_one_out(7 * weights, scores, correlations) == pytest.approx(algebra.leave_one_out(*game))


def test_the_gradient_is_the_slope(game):
    weights, scores, correlations = game
    slopes = []
    for model in range(len(weights)):
        step = 1e-6 * (np.arange(len(weights)) == model)
        rise = algebra.corr(weights + step, scores, correlations) - algebra.corr(weights - step, scores, correlations)
        slopes.append(rise / 2e-6)

    assert algebra.gradient(*game) == pytest.approx(np.array(slopes), abs=1e-8)


def test_a_contribution_is_the_score_of_what_is_left_beside_the_blend(panel, game):
    predictions, target, weights = panel
    ranks, whole = standardized_ranks(predictions), blend(predictions, weights)
    left = ranks - np.outer(whole, whole @ ranks / (whole @ whole))
    powered = power_15(target - target.mean())
    powered = (powered - powered.mean()) / powered.std()

    assert algebra.contributions(*game) == pytest.approx(left.T @ powered / len(powered), abs=1e-9)


def test_leaving_one_out_is_scoring_without_it(game):
    weights, scores, correlations = game
    without = [algebra.corr(np.where(np.arange(7) == model, 0.0, weights), scores, correlations) for model in range(7)]

    assert algebra.leave_one_out(*game) == pytest.approx(algebra.corr(*game) - np.array(without), abs=1e-12)


def test_a_blend_of_one_loses_all_without_it(game):
    _, scores, correlations = game

    alone = algebra.leave_one_out(np.eye(7)[2], scores, correlations)

    assert alone == pytest.approx(np.where(np.arange(7) == 2, algebra.corr(np.eye(7)[2], scores, correlations), 0.0))


def test_exact_shapley_values_are_mean_marginals_over_all_orders(game):
    weights, scores, correlations = game
    by_hand = np.zeros(7)
    for order in permutations(range(6)):  # the seventh has no weight
        inside, before = np.zeros(7), 0.0
        for model in order:
            inside[model] = weights[model]
            by_hand[model] += algebra.corr(inside, scores, correlations) - before
            before = algebra.corr(inside, scores, correlations)

    assert algebra.exact_shapley(*game) == pytest.approx(by_hand / factorial(6), abs=1e-12)


def test_exact_shapley_values_share_out_the_blends_corr(game):
    values = algebra.exact_shapley(*game)

    assert values.sum() == pytest.approx(algebra.corr(*game), abs=1e-12)
    assert values[6] == 0.0  # it has no weight


def test_twins_have_the_same_value():
    scores, correlations = np.array([0.03, 0.03, 0.02]), np.array([[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1.0]])

    values = algebra.exact_shapley(np.array([0.3, 0.3, 0.4]), scores, correlations)

    assert values[0] == pytest.approx(values[1], abs=1e-12)


@pytest.fixture
def many():
    rng = np.random.default_rng(8)
    names = np.r_[np.arange(14), 3, 3]  # the last two are copies of the fourth
    common = rng.standard_normal((300, 1))
    predictions = (0.6 * common + rng.standard_normal((300, 14)))[:, names]
    scores = rng.normal(0.02, 0.02, 14)[names]
    return rng.dirichlet(np.ones(14))[names], scores, model_correlations(predictions)


def test_drawn_shapley_values_are_near_the_exact_ones_and_sum_exactly(many):
    drawn = algebra.shapley(*many, rng=np.random.default_rng(0), draws=4000)

    assert drawn.sum() == pytest.approx(algebra.corr(*many), abs=1e-12)
    assert drawn == pytest.approx(algebra.exact_shapley(*many), abs=5e-4)


def test_copies_have_the_same_drawn_value(many):
    drawn = algebra.shapley(*many, rng=np.random.default_rng(0), draws=8)

    assert drawn[[3, 14]] == pytest.approx(drawn[15], abs=1e-15)


def test_few_models_need_no_draws(game):
    assert np.array_equal(algebra.shapley(*game, rng=np.random.default_rng(0), draws=2), algebra.exact_shapley(*game))
