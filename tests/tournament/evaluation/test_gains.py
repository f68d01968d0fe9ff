"""A gain says how much, how surely, how long it takes to see it, and whether harm is excluded."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.evaluation.gains import Gain, Verdict, gain


def drawn(mean: float, rounds: int = 400, deviation: float = 0.02, seed: int = 0) -> np.ndarray:
    """Independent differences of exactly this mean and deviation."""
    values = np.random.default_rng(seed).standard_normal(rounds)
    return mean + deviation * (values - values.mean()) / values.std()


def test_a_gain_is_paired_over_the_rounds_that_both_have() -> None:
    ours, theirs = np.array([0.1, np.nan, 0.5, 0.2, 0.3]), np.array([0.0, 0.3, 0.2, np.nan, 0.1])

    found = gain(ours, theirs, block=1, seed=0)

    assert (found.mean, found.rounds) == (pytest.approx(0.2), 3)


def test_its_error_and_interval_are_those_of_a_mean() -> None:
    found = gain(drawn(0.003), np.zeros(400), block=1, seed=0)

    assert found.standard_error == pytest.approx(0.001, rel=0.06)
    assert (found.low, found.high) == pytest.approx((0.00104, 0.00496), abs=3e-4)


def test_rounds_to_see_follow_from_mean_and_noise() -> None:
    # noise 0.02 a round: a mean of 0.004 is 2.8416 errors from zero when 2.8416 x 0.02 / sqrt(R) = 0.004, at 202 rounds
    assert Gain(0.004, 0.001, 0.0, 0.0, 400).rounds_to_see == 202
    assert Gain(0.002, 0.001, 0.0, 0.0, 400).rounds_to_see == 808
    assert Gain(-0.001, 0.001, 0.0, 0.0, 400).rounds_to_see == 3230


def test_so_many_rounds_show_it_in_four_studies_of_five() -> None:
    needed = int(Gain(0.002, 0.001, 0.0, 0.0, 400).rounds_to_see)
    mean_S = np.random.default_rng(7).normal(0.002, 0.02, (4000, needed)).mean(axis=1)

    seen_S = mean_S > 2 * 0.02 / np.sqrt(needed)

    assert seen_S.mean() == pytest.approx(0.8, abs=0.02)


def test_overlap_makes_it_longer() -> None:
    plain = drawn(0.0, 2003)
    shared = 0.002 + np.convolve(plain, np.ones(4), "valid") / 2.0  # as noisy a round, three quarters shared

    alone = gain(0.002 + plain, np.zeros(2003), block=1, seed=0)

    assert gain(shared, np.zeros(2000), block=16, seed=0).rounds_to_see > 2 * alone.rounds_to_see


def test_no_mean_is_never_seen() -> None:
    same = gain(np.full(50, 0.1), np.full(50, 0.1), block=2, seed=0)

    assert np.isnan(same.rounds_to_see)
    assert same.verdict is Verdict.NO_HARM


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [(0.0021, "no harm shown"), (0.0019, "cannot tell"), (-0.0019, "cannot tell"), (-0.0021, "harm")],
)
def test_harm_is_judged_at_two_standard_errors(mean: float, verdict: str) -> None:
    assert str(Gain(mean, 0.001, 0.0, 0.0, 100).verdict) == verdict


def test_the_largest_loss_not_excluded_is_said() -> None:
    assert Gain(-0.0005, 0.001, 0.0, 0.0, 100).largest_loss == pytest.approx(0.0025)
    assert Gain(0.003, 0.001, 0.0, 0.0, 100).largest_loss == 0.0


def test_one_round_says_nothing() -> None:
    found = gain(np.array([0.1]), np.array([0.0]), block=1, seed=0)

    assert np.isnan([found.mean, found.standard_error, found.low, found.rounds_to_see]).all()
    assert found.verdict is Verdict.UNKNOWN
