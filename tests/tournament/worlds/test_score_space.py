"""Score-space worlds obey their own law, and their oracles are what they say."""

from dataclasses import replace

import numpy as np
import pytest

from tournament.errors import BadConfig
from tournament.worlds.oracles import informed_beliefs, informed_means, oracle_weights
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec, draw_spec

LONG = Spec(rounds=4000, models=12, late=0.0, leaving=0.0)


def test_the_same_description_and_seed_give_the_same_world():
    ours, theirs = draw_world(Spec(), 3), draw_world(Spec(), 3)

    assert np.array_equal(ours.scores_RM, theirs.scores_RM)
    assert not np.array_equal(ours.scores_RM, draw_world(Spec(), 4).scores_RM)


def test_scores_scatter_about_what_is_expected_by_the_law_of_n_assets():
    world = draw_world(replace(LONG, shock=0.0), 0)

    errors_RM = world.scores_RM - world.expected_RM

    assert errors_RM.mean(axis=0) == pytest.approx(np.zeros(12), abs=5e-3)
    assert np.cov(errors_RM.T) == pytest.approx(world.correlation_MM / world.spec.assets, abs=3e-4)


def test_errors_of_rounds_whose_targets_overlap_move_together():
    world = draw_world(replace(LONG, shock=0.0, overlap=4), 0)
    errors_R = (world.scores_RM - world.expected_RM)[:, 0]

    lagged = [np.corrcoef(errors_R[lag:], errors_R[:-lag])[0, 1] for lag in (1, 2, 4, 6)]

    assert lagged == pytest.approx([0.75, 0.5, 0.0, 0.0], abs=0.07)


def test_correlations_are_correlations():
    world = draw_world(Spec(clones=0.3), 1)

    assert np.diag(world.correlation_MM) == pytest.approx(np.ones(100))
    assert np.linalg.eigvalsh(world.correlation_MM).min() > -1e-9
    assert (world.correlation_MM > 0.97).sum() > 130  # clones beside the diagonal


def test_a_world_without_regimes_has_one_expectation():
    world = draw_world(Spec(regimes=1, decaying=0.0), 2)

    assert np.ptp(world.expected_RM, axis=0) == pytest.approx(np.zeros(100), abs=1e-12)


def test_a_world_without_skill_pays_nobody():
    world = draw_world(Spec(payoff=0.0), 2)

    assert not world.expected_RM.any()


def test_contexts_tell_the_regime_when_it_is_separated():
    world = draw_world(Spec(separation=6.0, context_memory=0.0, rounds=400), 5)
    nearest = ((world.context_RC[:, None] - world.context_KC) ** 2).sum(axis=2).argmin(axis=1)

    assert (nearest == world.regime_R).mean() > 0.95


def test_the_informed_filter_is_sure_where_contexts_tell_all():
    world = draw_world(Spec(separation=6.0, context_memory=0.0), 5)

    beliefs = informed_beliefs(world)

    assert beliefs.sum(axis=1) == pytest.approx(np.ones(320))
    assert (beliefs.argmax(axis=1) == world.regime_R).mean() > 0.95


def test_the_informed_filter_reads_no_score_before_its_time():
    world = draw_world(Spec(), 6)
    later = world.scores_RM.copy()
    later[200 - world.spec.delay + 1 :] += 1.0
    context = world.context_RC.copy()
    context[201:] += 1.0

    other = informed_beliefs(replace(world, scores_RM=later, context_RC=context))

    assert np.array_equal(informed_beliefs(world)[:201], other[:201])


@pytest.mark.parametrize("seed", range(3))
def test_knowing_more_is_worth_more(seed):
    world, rows = draw_world(Spec(rounds=400), seed), range(100, 400)
    equal = world.active_RM / world.active_RM.sum(axis=1, keepdims=True)

    corr = [
        world.blend_corr(weights)[100:].mean()
        for weights in (
            equal,
            oracle_weights(world, informed_means(world), rows),
            oracle_weights(world, world.expected_RM, rows),
        )
    ]

    assert corr[0] < corr[1] < corr[2]


def test_a_history_shows_what_a_selector_may_see():
    world = draw_world(Spec(), 7)
    past = as_history(world)

    known = past.known_at(past.opens_at_R[100])

    assert len(known) == 100
    assert len(known.resolved()) == 100 - world.spec.delay + 1
    assert np.array_equal(np.isfinite(past.scores_RM), world.active_RM)


def test_the_prior_draws_worlds_of_every_kind():
    specs = [draw_spec(np.random.default_rng(seed)) for seed in range(300)]

    assert {spec.regimes for spec in specs} == {1, 2, 3, 4, 5, 6}
    assert any(spec.payoff == 0 for spec in specs)
    assert any(spec.clones >= 0.7 for spec in specs)
    assert min(spec.assets for spec in specs) < 250
    assert max(spec.assets for spec in specs) > 4000
    for seed, spec in enumerate(specs[:20]):
        assert np.isfinite(draw_world(spec, seed).scores_RM).all()


def test_impossible_worlds_are_refused_with_every_fault():
    with pytest.raises(BadConfig, match=r"(?s)models is 1.*overlap is 0"):
        Spec(models=1, overlap=0)
