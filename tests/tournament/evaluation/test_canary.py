"""The canary sings: whoever sees scores before their targets end gains what no honest selector can."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.evaluation.canary import Follower, false_gain, without_embargo
from tournament.evaluation.gains import gain
from tournament.evaluation.walk_forward import walk_forward
from tournament.selectors.registry import make
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

WORLD = Spec(rounds=260, models=40, assets=500, overlap=4, delay=5)


@pytest.mark.parametrize("seed", range(3))
def test_ignoring_the_embargo_shows_a_false_gain(seed: int) -> None:
    found = false_gain(as_history(draw_world(WORLD, seed)), warmup=60, block=10)

    assert found.mean > 0.02
    assert found.mean > 5 * found.standard_error


def test_the_false_gain_is_more_than_a_good_selector_earns_honestly() -> None:
    past = as_history(draw_world(WORLD, 1))
    equal, ridge = (
        walk_forward(past, make(name), warmup=60, retrain_every=50).corr(past) for name in ("equal", "ridge")
    )
    leaking = walk_forward(without_embargo(past), Follower(), warmup=60, retrain_every=50).corr(past)

    assert gain(leaking, ridge, block=10, seed=0).mean > 0.01
    assert np.nanmean(ridge) > np.nanmean(equal)


def test_a_world_whose_rounds_share_nothing_has_nothing_to_leak() -> None:
    past = as_history(draw_world(Spec(rounds=260, models=40, regimes=1, overlap=1, delay=1, shock=0.0), 2))

    found = false_gain(past, warmup=60, block=2)

    assert found.mean == 0.0


def test_without_embargo_only_resolving_is_earlier() -> None:
    past = as_history(draw_world(WORLD, 0))

    leaking = without_embargo(past)

    np.testing.assert_array_equal(leaking.resolves_at_R[:-1], past.opens_at_R[1:])
    np.testing.assert_array_equal(leaking.scores_RM, past.scores_RM)
