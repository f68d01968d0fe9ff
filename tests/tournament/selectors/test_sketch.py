"""A sketch of how alike models are: near the table, blind to clones, and taken wherever a table is."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadInput
from tournament.selectors import algebra
from tournament.selectors.allocator import best_blend, copies
from tournament.selectors.sketch import Sketch, sketch

MODELS = 60
ALL = np.ones(MODELS, dtype=bool)


def panel(seed: int = 0, models: int = MODELS, assets: int = 300) -> np.ndarray:
    """Standardised predictions of models that share themes."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((assets, 8)) @ rng.standard_normal((8, models)) + rng.standard_normal((assets, models))
    return (values - values.mean(axis=0)) / values.std(axis=0)


def table(values: np.ndarray) -> np.ndarray:
    return values.T @ values / len(values)


def dense(found: Sketch) -> np.ndarray:
    return found.rows(np.arange(len(found)))


def test_with_as_many_factors_as_models_the_sketch_is_the_table() -> None:
    assert dense(sketch(panel())) == pytest.approx(table(panel()), abs=1e-5)


def test_what_few_factors_leave_is_each_models_own() -> None:
    found = sketch(panel(), factors=8)

    assert found.diagonal() == pytest.approx(np.ones(MODELS), abs=1e-5)
    assert np.abs(dense(found) - table(panel())).max() < 0.15
    assert (found.rest_M > 0).all()


def test_products_and_rows_are_those_of_the_matrix() -> None:
    found, weights = sketch(panel(), factors=8), np.random.default_rng(1).dirichlet(np.ones(MODELS))

    assert found @ weights == pytest.approx(dense(found) @ weights, abs=1e-6)
    assert weights @ found == pytest.approx(found @ weights)
    assert dense(found.take(np.array([4, 2]))) == pytest.approx(dense(found)[np.ix_([4, 2], [4, 2])])


def test_the_allocator_finds_what_it_finds_on_the_same_matrix_as_a_table() -> None:
    found, mu = sketch(panel(), factors=8), np.random.default_rng(2).normal(0.01, 0.02, MODELS)
    active, previous = ALL.copy(), np.random.default_rng(3).dirichlet(np.ones(MODELS))
    active[[3, 17]] = False

    for options in ({}, {"previous_M": previous, "stickiness": 1.0}):
        weights = best_blend(mu, found, active, **options)
        assert weights == pytest.approx(best_blend(mu, dense(found), active, **options), abs=1e-6)
        assert weights[[3, 17]].sum() == 0


@pytest.mark.parametrize("seed", range(4))
def test_no_other_weights_meet_the_conditions_of_the_minimum(seed: int) -> None:
    found, mu = sketch(panel(seed), factors=8), np.random.default_rng(seed).normal(0.01, 0.02, MODELS)

    weights = best_blend(mu, found, ALL, ridge=0.1)

    slope = mu - (mu @ weights) / (weights @ found @ weights + 0.1 * copies(found, ALL) @ weights**2) * (
        found @ weights + 0.1 * copies(found, ALL) * weights
    )
    assert np.abs(slope[weights > 0]).max() < 1e-7
    assert slope[weights == 0].max() < 1e-7


def test_ten_clones_leave_the_others_as_they_were() -> None:
    flood = np.r_[np.arange(MODELS), np.full(10, 5)]
    mu = np.random.default_rng(2).normal(0.01, 0.02, MODELS)
    mu[5] = mu.max() + 0.01

    alone = best_blend(mu, sketch(panel(), factors=8), ALL)
    among = best_blend(mu[flood], sketch(panel()[:, flood], factors=8), np.ones(MODELS + 10, dtype=bool))

    rest = np.arange(MODELS) != 5
    assert np.abs(among[:MODELS] - alone)[rest].max() < 1e-3
    assert among[[5, *range(MODELS, MODELS + 10)]].sum() == pytest.approx(alone[5], abs=1e-3)


def test_the_algebra_takes_a_sketch_as_it_takes_the_table() -> None:
    found, rng = sketch(panel(), factors=8), np.random.default_rng(4)
    weights, scores = rng.dirichlet(np.ones(MODELS)), rng.normal(0.01, 0.03, MODELS)

    for act in (algebra.corr, algebra.gradient, algebra.contributions, algebra.leave_one_out):
        assert act(weights, scores, found) == pytest.approx(act(weights, scores, dense(found)), abs=1e-6)
    values = [algebra.shapley(weights, scores, C, rng=np.random.default_rng(0)) for C in (found, dense(found))]
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    assert values[0].sum() == pytest.approx(algebra.corr(weights, scores, found))


def test_few_models_with_weight_have_exact_values_by_a_sketch_too() -> None:
    found, weights = sketch(panel(), factors=8), np.r_[np.full(4, 0.25), np.zeros(MODELS - 4)]
    scores = np.random.default_rng(4).normal(0.01, 0.03, MODELS)

    values = [algebra.shapley(weights, scores, C, rng=np.random.default_rng(0)) for C in (found, dense(found))]

    assert values[0] == pytest.approx(values[1], abs=1e-6)


def test_the_order_of_the_models_does_not_matter() -> None:
    order = np.random.default_rng(5).permutation(MODELS)

    straight, turned = sketch(panel(), factors=8), sketch(panel()[:, order], factors=8)

    assert dense(turned) == pytest.approx(dense(straight)[np.ix_(order, order)], abs=1e-4)


def test_a_sketch_whose_rows_do_not_meet_is_refused() -> None:
    with pytest.raises(BadInput, match="does not meet"):
        Sketch(np.zeros((3, 2), dtype=np.float32), np.arange(2), np.ones(3))


def test_a_model_that_says_nothing_is_like_no_other() -> None:
    values = panel()
    values[:, [7, 8]] = 0.0

    found = sketch(values, factors=8)

    assert found.diagonal()[[7, 8]] == pytest.approx([0.0, 0.0])
    assert len(set(found.family_M.tolist())) == MODELS
