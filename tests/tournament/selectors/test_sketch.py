"""A sketch of how alike models are: near the table, blind to clones, and taken wherever a table is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tournament.errors import BadInput
from tournament.selectors import algebra
from tournament.selectors.allocator import best_blend, copies
from tournament.selectors.protocol import Budget, History, Query
from tournament.selectors.registry import SKETCHED, make
from tournament.selectors.sketch import Sketch, sketch
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

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


def sketched_and_exact(row: int = 100) -> tuple[History, Query, Query]:
    """What is known of a tournament without any past correlations, and a round with the sketch and with the table."""
    values = panel()
    past = as_history(draw_world(Spec(rounds=120, models=MODELS, late=0.0, leaving=0.0), 3))
    known = past.known_at(past.opens_at_R[row])
    unknown = np.broadcast_to(np.float32(np.nan), known.correlations_RMM.shape)
    exact = replace(past.query(row), correlations_MM=table(values))
    return replace(known, correlations_RMM=unknown), replace(exact, correlations_MM=sketch(values)), exact


@pytest.mark.parametrize("name", SKETCHED)
def test_families_weigh_by_a_sketch_as_by_the_table(name: str) -> None:
    known, by_sketch, by_table = sketched_and_exact()
    selector = make(name)
    state = selector.adapt(selector.meta_train([known], Budget()), known)

    weights = selector.weights(state, by_sketch)

    assert weights == pytest.approx(selector.weights(state, by_table), abs=1e-4)
    assert selector.explain(state, by_sketch).weights_M == pytest.approx(weights, abs=1e-6)


def test_a_family_that_reads_every_pair_says_so() -> None:
    known, by_sketch, _ = sketched_and_exact()
    whole = as_history(draw_world(Spec(rounds=120, models=MODELS, late=0.0, leaving=0.0), 3))
    state = make("kernel").adapt(make("kernel").meta_train([whole.known_at(whole.opens_at_R[100])], Budget()), known)

    with pytest.raises(BadInput, match="60 models come with a sketch"):
        by_sketch.table()
    with pytest.raises(BadInput, match="come with a sketch"):
        make("kernel").explain(state, by_sketch)


def test_a_sketch_takes_its_place_among_more_models() -> None:
    found, columns = sketch(panel(), factors=8), np.random.default_rng(0).permutation(70)[:MODELS]

    wide = dense(found.placed(columns, 70))

    assert wide[np.ix_(columns, columns)] == pytest.approx(dense(found))
    assert np.delete(wide, columns, axis=0).sum() == 0


def test_rows_of_correlations_that_are_one_in_memory_are_never_copied() -> None:
    known, _, _ = sketched_and_exact()

    taken = known.take(np.array([0, 5, 7]))

    assert taken.correlations_RMM.strides[0] == 0
    assert taken.correlations_RMM.shape == (3, MODELS, MODELS)
