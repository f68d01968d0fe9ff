"""Score patterns: what they keep, what they are blind to, and how they are smoothed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors.patterns import binned, leading_directions, one_sided, project, sight, two_sided
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

ALL = np.ones(60, dtype=bool)


@pytest.fixture
def world():
    return draw_world(Spec(rounds=200, models=60, late=0.0, leaving=0.0, shock=0.0, decaying=0.0), 3)


def test_directions_are_those_of_the_largest_variance(world):
    found = leading_directions(world.correlation_MM, ALL)

    values = np.linalg.eigvalsh(world.correlation_MM)[::-1]
    assert found.share_Z[:5] == pytest.approx(values[:5] / 60)
    assert (found.loading_MZ**2).sum(axis=0)[:5] == pytest.approx(values[:5])
    assert (found.loading_MZ.sum(axis=0) >= -1e-9).all()


def test_scores_made_from_a_pattern_give_the_pattern_back(world):
    found = leading_directions(world.correlation_MM, ALL)
    pattern_RZ = np.random.default_rng(0).standard_normal((30, 20))
    scored = np.ones((30, 60), dtype=bool)

    seen_RZ, told_R = project(found, pattern_RZ @ found.loading_MZ.T, scored)

    assert np.corrcoef(seen_RZ[:, :8].ravel(), pattern_RZ[:, :8].ravel())[0, 1] > 0.98
    assert told_R == pytest.approx(np.ones(30))


def test_a_round_of_which_few_models_were_scored_tells_less(world):
    found = leading_directions(world.correlation_MM, ALL)
    scored = np.ones((2, 60), dtype=bool)
    scored[1, 20:] = False

    _, told_R = project(found, np.zeros((2, 60)), scored)

    assert told_R[1] < 0.6 * told_R[0]


def test_a_round_among_others_is_seen_as_it_is_alone(world):
    found, rng = leading_directions(world.correlation_MM, ALL), np.random.default_rng(1)
    scored = rng.random((12, 60)) < rng.uniform(0.1, 1.0, (12, 1))
    scores = np.where(scored, rng.standard_normal((12, 60)), 0.0)

    together = project(found, scores, scored)

    alone = [project(found, scores[row : row + 1], scored[row : row + 1]) for row in range(12)]
    assert together[0] == pytest.approx(np.concatenate([pattern_RZ for pattern_RZ, _ in alone]), abs=1e-9)
    assert together[1] == pytest.approx(np.concatenate([told_R for _, told_R in alone]))


def test_a_flood_of_copies_changes_no_pattern(world):
    flood = np.concatenate([np.arange(60), np.full(25, 7)])
    scores = world.scores_RM[:40]

    alone = leading_directions(world.correlation_MM, ALL)
    flooded = leading_directions(world.correlation_MM[np.ix_(flood, flood)], np.ones(85, dtype=bool))
    seen = [
        project(directions, values, np.ones(values.shape, dtype=bool))[0]
        for directions, values in ((alone, scores), (flooded, scores[:, flood]))
    ]

    assert np.abs(seen[1][:, :10]) == pytest.approx(np.abs(seen[0][:, :10]), rel=1e-3, abs=1e-4)


def test_the_noise_of_patterns_is_that_of_n_assets(world):
    past = as_history(world)
    query = past.query(150)

    found = sight(query, past.known_at(query.opens_at))

    assert found.noise == pytest.approx(1.0 / np.sqrt(world.spec.assets), rel=0.15)


def test_a_sighting_reads_nothing_beyond_the_support(world):
    past = as_history(world)
    query = past.query(150)
    support = past.known_at(query.opens_at)

    found = sight(query, support)

    assert len(found.age_B) == len(support.resolved_rows())
    assert found.age_B[-1] == world.spec.delay
    assert found.age_B[0] == 150


def test_many_rounds_are_seen_in_bins():
    world = draw_world(Spec(rounds=620, models=30), 1)
    past = as_history(world)
    query = past.query(610)

    found = sight(query, past.known_at(query.opens_at))

    assert found.rounds_a_bin == 3
    assert len(found.age_B) == (611 - world.spec.delay) // 3


def test_missing_contexts_count_as_usual_ones():
    past = history()
    past.context_RK[10:20, 1] = np.nan
    past.context_RK[80] = np.nan

    found = sight(past.query(80), past.known_at(past.opens_at_R[80]))

    assert np.isfinite(found.context_BCW).all()
    assert found.query_context_CW[:, 0] == pytest.approx(np.zeros(3))


def test_smoothing_by_hand():
    values = np.array([[0.0], [3.0], [0.0]])

    assert one_sided(values, 1.0)[:, 0] == pytest.approx([0.0, 2.0, 1.5 / 1.75])
    assert two_sided(values, np.ones(3), 1.0)[:, 0] == pytest.approx([1.5 / 1.75, 1.5, 1.5 / 1.75])
    assert two_sided(values, np.array([1.0, 0.0, 1.0]), 1.0)[:, 0] == pytest.approx([0.0, 0.0, 0.0])


def test_bins_leave_out_the_oldest_that_fill_none():
    assert binned(np.arange(7.0), 3) == pytest.approx([2.0, 5.0])


@pytest.mark.parametrize("assets", [20, 60, 500])
def test_the_noise_of_patterns_is_one_over_the_root_of_the_assets_however_few(assets):
    rng, models, rounds = np.random.default_rng(5), 34, 120
    mixing = rng.standard_normal((8, models))
    panel_RNM = rng.standard_normal((rounds, assets, 8)) @ mixing + 1.5 * rng.standard_normal((rounds, assets, models))
    panel_RNM = (panel_RNM - panel_RNM.mean(axis=1, keepdims=True)) / panel_RNM.std(axis=1, keepdims=True)
    correlations = np.einsum("rnm,rnk->rmk", panel_RNM, panel_RNM) / assets
    scores = np.einsum("rnm,rn->rm", panel_RNM, rng.standard_normal((rounds, assets))) / assets
    past = replace(history(rounds, models), scores_RM=scores, correlations_RMM=correlations.astype(np.float32))

    seen = sight(past.query(rounds - 1), past.known_at(past.opens_at_R[-1]))

    assert seen.noise == pytest.approx(assets**-0.5, rel=0.35)
