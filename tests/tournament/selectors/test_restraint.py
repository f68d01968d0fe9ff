"""What the rules make of a selector's weights: held to those before, capped by contributor; by default nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors.allocator import RIDGE, best_blend
from tournament.selectors.protocol import Query
from tournament.selectors.restraint import held_back, restrained

OWNERS = np.array([0, 0, 0, 1, 1, 2, 3, 4])
BEFORE = np.array([0.5, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0])
GIVEN = np.array([0.0, 0.1, 0.0, 0.0, 0.4, 0.2, 0.3, 0.0])


def query() -> Query:
    past = history()
    rng = np.random.default_rng(0)
    loose = rng.normal(size=(8, 30))
    return replace(past.query(80), correlations_MM=np.corrcoef(loose + rng.normal(size=30)))


def turnover(weights: np.ndarray) -> float:
    return 0.5 * float(np.abs(weights - BEFORE).sum())


def test_by_default_the_weights_are_left_to_the_bit() -> None:
    assert np.array_equal(restrained(GIVEN, query(), BEFORE, OWNERS, stickiness=0.0, cap=1.0), GIVEN)


def test_the_first_round_has_nothing_to_be_held_to() -> None:
    assert np.array_equal(restrained(GIVEN, query(), None, OWNERS, stickiness=1.0, cap=1.0), GIVEN)


def test_more_stickiness_moves_less_weight() -> None:
    moved = [turnover(held_back(GIVEN, query(), BEFORE, stickiness)) for stickiness in (1e-9, 0.2, 1.0, 5.0, 1e6)]

    assert moved[0] == pytest.approx(turnover(GIVEN), abs=1e-6)
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] == pytest.approx(0.0, abs=1e-4)


def test_weights_of_the_allocator_are_held_as_the_allocator_itself_would() -> None:
    asked = query()
    expected = asked.correlations_MM @ np.linspace(0.01, 0.03, 8)
    free = best_blend(expected, asked.correlations_MM, asked.active_M, ridge=RIDGE)
    assert (free > 0).all()  # else its expectations could not be read off the weights

    held = held_back(free, asked, BEFORE, 0.5)

    itself = best_blend(expected, asked.correlations_MM, asked.active_M, ridge=RIDGE, previous_M=BEFORE, stickiness=0.5)
    assert held == pytest.approx(itself, abs=1e-6)


def test_a_model_that_did_not_submit_keeps_no_weight_of_before() -> None:
    asked = query()
    without_first = replace(asked, active_M=asked.active_M & (np.arange(8) != 0))

    held = held_back(GIVEN, without_first, BEFORE, 2.0)

    assert held[0] == 0.0
    assert held.sum() == pytest.approx(1.0)
    assert (held >= 0).all()


def test_no_contributor_has_more_than_the_cap() -> None:
    made = restrained(GIVEN, query(), BEFORE, OWNERS, stickiness=2.0, cap=0.3)

    assert np.bincount(OWNERS, weights=made).max() <= 0.3 + 1e-9
    assert made.sum() == pytest.approx(1.0)


def test_the_order_of_the_models_does_not_matter() -> None:
    asked, order = query(), np.random.default_rng(1).permutation(8)
    turned = replace(
        asked, models=tuple(asked.models[place] for place in order), active_M=asked.active_M[order],
        correlations_MM=asked.correlations_MM[np.ix_(order, order)],
    )  # fmt: skip

    ours = restrained(GIVEN, asked, BEFORE, OWNERS, stickiness=0.5, cap=0.4)
    theirs = restrained(GIVEN[order], turned, BEFORE[order], OWNERS[order], stickiness=0.5, cap=0.4)

    assert theirs == pytest.approx(ours[order], abs=1e-9)
