"""Bernstein online aggregation: regret by hand, sleepers left alone, and one step at a time the same as all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history, with_other_future
from tournament.selectors import algebra
from tournament.selectors.boa import Boa, Regrets, gains
from tournament.selectors.protocol import Budget, History, State


def adapted(past: History, row: int, state: State | None = None) -> State:
    return Boa().adapt(state or Boa().meta_train([past], Budget()), past.known_at(past.opens_at_R[row]))


def test_one_round_of_two_models_is_learned_from_as_by_hand() -> None:
    past = replace(history(1, models=2), scores_RM=np.array([[0.06, 0.02]]))
    regrets = Regrets.none(past)

    regrets.resolve(0, np.array([[0.5, 0.5]]))

    # two models without likeness: v = 1/2, so the gains are +-0.02 / sqrt(1/2)
    gain = 0.02 / np.sqrt(0.5)
    assert regrets.square_M == pytest.approx(np.full(2, gain**2))
    assert regrets.range_M == pytest.approx(np.full(2, 2.0**-5))
    # the rate is 1 / range; the loser's loss exceeds half of it, so it is clipped as well
    assert regrets.total_M[0] == pytest.approx(0.5 * (gain - 32 * gain**2))
    assert regrets.total_M[1] == pytest.approx(0.5 * (-gain - 32 * gain**2 - (2.0**-5 if 32 * gain > 0.5 else 0.0)))


def test_rates_fall_with_the_sum_of_squares() -> None:
    regrets = Regrets(
        history(1, models=2), np.zeros(2), np.array([4.0, 1e-6]), np.array([0.25, 0.25]), np.ones(2, dtype=bool)
    )

    assert regrets.rates() == pytest.approx([np.sqrt(np.log(2) / 4), 4.0])


def test_a_better_model_wins_with_little_regret() -> None:
    past = history(200, models=4)
    scores = np.tile([0.06, 0.02, 0.0, -0.02], (200, 1))
    past = replace(past, scores_RM=scores, correlations_RMM=np.ones_like(past.correlations_RMM))

    weights = Boa().weights(adapted(past, 199), past.query(199))

    assert weights[0] > 0.95
    assert algebra.corr(weights, scores[0], np.ones((4, 4))) > 0.058


def test_gains_are_the_gradient_of_the_blend() -> None:
    past = history(3)
    weights = np.arange(1.0, 9.0) / 36

    found = gains(past, 1, weights)

    assert found == pytest.approx(algebra.gradient(weights, past.scores_RM[1], past.correlations_RMM[1].astype(float)))
    assert found @ weights == pytest.approx(0.0, abs=1e-9)


def test_a_sleeping_model_is_left_untouched() -> None:
    past = history(60)
    past.active_RM[30:, 2] = False
    past.scores_RM[30:, 2] = np.nan

    before, after = (adapted(past, row).arrays for row in (36, 59))

    assert before["boa_total_M"][2] == after["boa_total_M"][2]
    assert before["boa_square_M"][2] == after["boa_square_M"][2]
    assert before["boa_total_M"][1] != after["boa_total_M"][1]


def test_a_new_model_enters_at_the_prior() -> None:
    past = history(60)
    past.scores_RM[:, 2] = np.nan
    past.active_RM[:59, 2] = False

    assert Boa().weights(adapted(past, 59), past.query(59))[2] == pytest.approx(1 / 8)


def test_going_on_is_the_same_as_starting_anew() -> None:
    past, state = history(60), State("boa")
    for row in range(3, 60):
        state = adapted(past, row, state)

    fresh = adapted(past, 59)

    assert state.to_bytes() == fresh.to_bytes()


def test_another_history_is_not_taken_for_the_same() -> None:
    past, other = history(60), history(60, seed=8)

    assert adapted(other, 50, adapted(past, 40)).to_bytes() == adapted(other, 50).to_bytes()


def test_gradients_are_taken_at_the_weights_of_the_opening() -> None:
    past = history(60)
    other = with_other_future(past, 40)

    first, second = (adapted(one, 40).arrays["ledger_weights_PSM"] for one in (past, other))

    assert first.shape == (4, 1, 8)
    assert np.array_equal(first, second)
