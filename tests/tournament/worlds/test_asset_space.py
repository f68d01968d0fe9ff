"""A world with prices: models score what score space says they score, and the same seed draws the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.errors import BadConfig
from tournament.scoring.blend import linear_scores
from tournament.scoring.ranks import gaussian_ranks
from tournament.worlds.asset_space import WEEK_DAYS, realise
from tournament.worlds.score_space import draw_world
from tournament.worlds.spec import Spec

SPEC = Spec(rounds=300, models=8, themes=4, groups=2, payoff=0.08, shock=0.0, late=0.0, leaving=0.0, ignorant=0.0)


def test_scores_of_models_are_those_of_score_space_on_the_mean() -> None:
    world = draw_world(SPEC, 1)
    made, span = realise(world, assets=200, seed=1), WEEK_DAYS * SPEC.overlap
    rounds = np.arange(SPEC.rounds - SPEC.overlap)

    found = np.array([
        linear_scores(made.predictions_RNM[one], gaussian_ranks(
            (made.close_TN[made.row_R[one] + span] / made.close_TN[made.row_R[one]])[:, None])[:, 0])
        for one in rounds
    ])  # fmt: skip

    apart = found - world.expected_RM[rounds]
    error = apart.std(axis=0) / np.sqrt(len(rounds) / SPEC.overlap)
    size = np.abs(world.expected_RM[rounds]).mean()
    assert (np.abs(apart.mean(axis=0)) < 3.5 * error + 0.2 * size).all()
    assert np.corrcoef(found.ravel(), world.expected_RM[rounds].ravel())[0, 1] > 0.5


def test_who_did_not_submit_has_no_predictions() -> None:
    world = draw_world(Spec(rounds=40, models=10, late=0.5), 0)

    made = realise(world, assets=30, seed=0)

    assert np.array_equal(np.isfinite(made.predictions_RNM).all(axis=1), world.active_RM)
    assert np.isfinite(made.close_TN).all()
    assert (made.close_TN > 0).all()


def test_the_same_seed_draws_the_same_bytes() -> None:
    world = draw_world(Spec(rounds=30, models=5), 0)

    one, same, other = (realise(world, assets=25, seed=seed) for seed in (0, 0, 1))

    assert one.close_TN.tobytes() == same.close_TN.tobytes()
    assert one.predictions_RNM.tobytes() == same.predictions_RNM.tobytes()
    assert one.close_TN.tobytes() != other.close_TN.tobytes()


def test_too_few_assets_are_refused() -> None:
    with pytest.raises(BadConfig, match="at least 20"):
        realise(draw_world(Spec(rounds=30, models=5), 0), assets=5, seed=0)
