"""Figures against values worked by hand, closed forms and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.evaluation import statistics

RNG = np.random.default_rng


def moving_average(rng: np.random.Generator, size: int, width: int) -> np.ndarray:
    """Means of `width` neighbouring draws: the error of its mean is sqrt(1 / size), whatever the width."""
    return np.convolve(rng.standard_normal(size + width - 1), np.ones(width), "valid") / width


def test_the_bootstrap_of_independent_draws_has_the_plain_error() -> None:
    values = RNG(0).standard_normal(800)

    mean, error = statistics.mean_with_error(values, block=1, seed=1)

    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std() / np.sqrt(800), rel=0.06)


def test_blocks_see_that_overlapping_targets_tell_less() -> None:
    errors = [statistics.mean_with_error(moving_average(RNG(s), 1500, 5), block=20, seed=s)[1] for s in range(8)]

    assert np.mean(errors) == pytest.approx(np.sqrt(1 / 1500), rel=0.12)


def test_single_rounds_would_understate_the_error_of_overlapping_targets() -> None:
    values = moving_average(RNG(3), 1500, 5)

    assert statistics.mean_with_error(values, block=1, seed=0)[1] < 0.6 * np.sqrt(1 / 1500)


def test_the_same_seed_gives_the_same_error_and_another_does_not() -> None:
    values = RNG(1).standard_normal(60)
    first, again, other = (statistics.mean_with_error(values, block=4, seed=seed)[1] for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_unknown_rounds_are_left_out() -> None:
    values = RNG(2).standard_normal(50)
    holed = np.insert(values, [0, 20, 50], np.nan)

    assert statistics.mean_with_error(holed, block=3, seed=0) == statistics.mean_with_error(values, block=3, seed=0)


def test_one_round_has_no_error() -> None:
    assert np.isnan(statistics.mean_with_error(np.array([0.3, np.nan]), block=2, seed=0)).all()
    assert np.isnan(statistics.interval(np.array([0.3]), block=2, seed=0)).all()


def test_the_interval_of_independent_draws_is_the_normal_one() -> None:
    values = RNG(4).standard_normal(1000)
    reach = 1.96 * values.std() / np.sqrt(1000)

    low, high = statistics.interval(values, block=1, seed=0)

    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.006)


def test_the_interval_of_overlapping_targets_holds_the_truth_about_as_often_as_it_says() -> None:
    intervals = [statistics.interval(moving_average(RNG(s), 300, 4), block=8, seed=s) for s in range(200)]

    held = np.mean([low < 0.0 < high for low, high in intervals])

    assert 0.88 < held < 0.985


def test_sharpe_is_mean_over_deviation() -> None:
    assert statistics.sharpe(np.array([1.0, np.nan, 3.0])) == pytest.approx(2.0 / np.sqrt(2.0))


def test_what_never_varies_has_no_sharpe() -> None:
    assert np.isnan(statistics.sharpe(np.full(5, 0.25)))


def test_the_expected_best_of_trials_without_skill_is_near_their_simulated_best() -> None:
    best = RNG(5).standard_normal((4000, 50)).max(axis=1).mean()
    trials = RNG(6).standard_normal(50)
    trials = (trials - trials.mean()) / trials.std(ddof=1)

    assert statistics.expected_best_sharpe(trials) == pytest.approx(best, rel=0.03)


def test_one_trial_is_not_deflated() -> None:
    assert statistics.expected_best_sharpe(np.array([0.4])) == 0.0


def test_deflated_sharpe_equals_the_published_example() -> None:
    # Bailey and Lopez de Prado 2014, numerical example: 100 trials whose yearly Sharpe ratios have variance 1/2, five
    # years of days, yearly ratio 2.5, skewness -3, kurtosis 10: about 0.90
    spread = np.sqrt(0.5 / 250.0)
    trials = np.linspace(-1.0, 1.0, 100)
    trials *= spread / trials.std(ddof=1)

    assert statistics.expected_best_sharpe(trials) == pytest.approx(0.1132, abs=5e-5)
    assert statistics.probable_sharpe(2.5 / np.sqrt(250.0), 0.1132, rounds=1250, skewness=-3.0, tails=10.0) == (
        pytest.approx(0.9004, abs=5e-4)
    )


def test_the_deflated_sharpe_of_one_trial_is_the_probability_of_any_skill() -> None:
    values = RNG(7).standard_normal(400) + 0.1
    ratio = statistics.sharpe(values)

    found = statistics.deflated_sharpe(values, np.array([ratio]), overlap=1)

    assert found == pytest.approx(statistics.norm.cdf(ratio * np.sqrt(399)), abs=0.01)


def test_more_trials_and_more_overlap_lower_the_deflated_sharpe() -> None:
    values = RNG(8).standard_normal(300) + 0.15
    few, many = RNG(9).normal(0, 0.05, 3), RNG(9).normal(0, 0.05, 60)

    lone = statistics.deflated_sharpe(values, few, overlap=1)

    assert statistics.deflated_sharpe(values, many, overlap=1) < lone
    assert statistics.deflated_sharpe(values, few, overlap=5) < lone


def test_trials_made_elsewhere_count_as_those_made_here() -> None:
    values, trials = RNG(8).standard_normal(300) + 0.15, RNG(9).normal(0, 0.05, 30)
    spread = trials.std(ddof=1)
    few = np.array([-spread, spread]) / np.sqrt(2)  # two trials with the same spread

    told = statistics.deflated_sharpe(values, few, overlap=1, trials_elsewhere=28)

    assert told == pytest.approx(statistics.deflated_sharpe(values, trials, overlap=1))


def test_a_lone_trial_with_others_elsewhere_is_deflated_by_chance_alone() -> None:
    values = RNG(8).standard_normal(300) + 0.15
    lone = np.array([statistics.sharpe(values)])

    told = statistics.deflated_sharpe(values, lone, overlap=1, trials_elsewhere=9)

    assert told < statistics.deflated_sharpe(values, lone, overlap=1)


def test_too_few_rounds_have_no_deflated_sharpe() -> None:
    assert np.isnan(statistics.deflated_sharpe(np.array([0.1, 0.2, 0.3]), np.array([0.1]), overlap=2))


def test_a_selector_that_always_wins_is_not_overfitted() -> None:
    values = RNG(10).standard_normal((200, 5)) + np.array([3.0, 0, 0, 0, 0])

    assert statistics.overfitting_probability(values) == 0.0


def test_choosing_among_equals_is_overfitted_half_of_the_time_or_more() -> None:
    found = [statistics.overfitting_probability(RNG(seed).standard_normal((200, 10))) for seed in range(30)]

    assert 0.4 < np.mean(found) < 0.75


def test_a_selector_that_only_ever_shines_in_one_half_is_overfitted() -> None:
    # each selector wins in one block by far and loses elsewhere, so the best of one half is the worst of the other
    values = np.repeat(5.0 * np.eye(10), 20, axis=0) + 1e-3 * RNG(0).standard_normal((200, 10))

    assert statistics.overfitting_probability(values) == 1.0


def test_too_few_rounds_or_one_selector_say_nothing_of_overfitting() -> None:
    assert np.isnan(statistics.overfitting_probability(np.zeros((200, 1))))
    assert np.isnan(statistics.overfitting_probability(np.zeros((19, 3))))


def test_turnover_is_half_of_what_moved() -> None:
    weights = np.array([[np.nan, np.nan], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])

    assert statistics.turnover(weights) == pytest.approx(0.25)
    assert np.isnan(statistics.turnover(weights[:2]))


def test_effective_models_counts_equal_weights() -> None:
    weights = np.array([[np.nan] * 4, [0.25] * 4, [0.5, 0.5, 0.0, 0.0]])

    assert statistics.effective_models(weights) == pytest.approx(3.0)
    assert np.isnan(statistics.effective_models(weights[:1]))
