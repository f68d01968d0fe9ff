"""Exponential weights over experts that sleep: hedge, fixed share, Bayesian model averaging."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors.baselines import bma, fixed_share, hedge, overlap, score_variance
from tournament.selectors.experts import specialists


def test_weights_of_experts_awake_follow_their_gains() -> None:
    log_weights = specialists(np.array([[1.0, 0.0], [0.5, 0.0]]), rate=2.0)

    assert np.exp(log_weights) == pytest.approx(np.array([np.exp(3.0), 1.0]) / (1.0 + np.exp(3.0)))


def test_a_sleeping_expert_keeps_its_weight_to_the_bit() -> None:
    gains = np.array([[0.3, -0.2, np.nan], [0.9, 0.1, np.nan]])

    log_weights = specialists(gains, rate=4.0, share=0.1)

    assert log_weights[2] == -np.log(3)
    assert np.exp(log_weights).sum() == pytest.approx(1.0)


def test_a_round_in_which_all_sleep_changes_nothing() -> None:
    gains = np.array([[0.3, -0.2], [np.nan, np.nan]])

    assert np.array_equal(specialists(gains, rate=1.0), specialists(gains[:1], rate=1.0))


def test_a_share_bounds_how_low_an_expert_can_fall() -> None:
    log_weights = specialists(np.tile([1.0, -1.0], (500, 1)), rate=1.0, share=0.1)

    assert np.exp(log_weights[1]) >= 0.05


def test_the_posterior_of_two_models_is_that_worked_out_by_hand() -> None:
    past = history(4, models=2).take(slice(0, 4))
    scores = np.array([[0.06, 0.00], [0.02, 0.02], [0.08, -0.02], [0.04, 0.04]])
    past = replace(past, scores_RM=scores)
    # means 0.05 and 0.01, common mean 0.03; shrunk by 6 rounds the best is (4 * 0.05 + 6 * 0.03) / 10
    slope, variance = 0.038, (0.002 + 0.002) / 6
    log_odds = (0.20 - 0.04) * slope / variance / 5

    weights = bma(past, past.query(3))

    assert weights[0] == pytest.approx(1 / (1 + np.exp(-log_odds)))


def test_what_overlaps_is_counted_by_wait_and_cadence() -> None:
    assert overlap(history(30)) == 5


def test_the_variance_of_scores_is_about_the_mean_of_each_model() -> None:
    scores = np.array([[0.1, 0.5, np.nan], [0.3, 0.7, 0.9]])

    assert score_variance(replace(history(2, models=3), scores_RM=scores)) == pytest.approx(0.02)


@pytest.mark.parametrize("rule", [hedge, fixed_share, bma])
def test_a_model_that_slept_through_keeps_its_share_against_all(rule: object) -> None:
    past = history(40)
    past.scores_RM[:, 3] = np.nan

    assert rule(past, past.query(39))[3] == pytest.approx(1 / 8)  # type: ignore[operator]


@pytest.mark.parametrize("rule", [hedge, fixed_share, bma])
def test_the_order_in_which_rounds_resolve_is_what_counts(rule: object) -> None:
    past = history(40)
    turned = past.take(np.r_[np.arange(20, 40), np.arange(20)])

    assert np.array_equal(rule(past, past.query(0)), rule(turned, past.query(0)))  # type: ignore[operator]
