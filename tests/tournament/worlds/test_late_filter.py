"""Stays lose their belief as their ages say; one age is a Markov chain."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.worlds.late_filter import Stays, late_beliefs, leaving, markov

JUMP = (1.0 - np.eye(3)) / 2


def test_hazards_are_what_is_left_of_the_stays() -> None:
    np.testing.assert_allclose(leaving(np.array([0.5, 0.25, 0.25])), [0.5, 0.5, 1.0])


def test_stays_of_fixed_length_end_on_time() -> None:
    stays = Stays(leaving(np.array([0.0, 0.0, 1.0])), JUMP)
    belief = np.zeros((3, 3))
    belief[0, 0] = 1.0

    two_on = stays.advance(stays.advance(belief))

    assert two_on.sum(axis=1) == pytest.approx([1, 0, 0])
    assert stays.advance(two_on).sum(axis=1) == pytest.approx([0, 0.5, 0.5])


def test_one_age_advances_like_the_chain() -> None:
    transition = np.full((3, 3), 0.05) + 0.85 * np.eye(3)
    belief = np.array([0.5, 0.3, 0.2])

    after = markov(transition).advance(belief[:, None])[:, 0]

    np.testing.assert_allclose(after, belief @ transition)


def test_one_regime_is_always_believed() -> None:
    found = late_beliefs(np.zeros((5, 1)), np.zeros((5, 1)), np.arange(5) - 2, markov(np.ones((1, 1))))

    np.testing.assert_array_equal(found, 1.0)


def test_a_late_score_is_heard_when_it_is_known_and_not_before() -> None:
    score = np.zeros((6, 3))
    score[0, 2] = 50.0

    found = late_beliefs(np.zeros((6, 3)), score, np.arange(6) - 3, markov(np.full((3, 3), 0.1) + 0.7 * np.eye(3)))

    np.testing.assert_allclose(found[2], 1 / 3)
    assert found[3, 2] > 0.5
