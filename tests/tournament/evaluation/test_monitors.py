"""Monitors tell a champion that lost its skill from one that keeps it, though targets overlap."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.evaluation.compare import Difference
from tournament.evaluation.monitors import ALLOWANCE, LEAST_BEFORE, LIMIT, Gap, drift, summed_falls

OVERLAP = 4


def corrs(rounds: int, mean: float, rng: np.random.Generator, overlap: int = OVERLAP) -> np.ndarray:
    """Noise of 0.05, shared by rounds as targets of four rounds' length share days."""
    drawn = rng.normal(0.0, 0.05, rounds + overlap - 1)
    return mean + np.convolve(drawn, np.full(overlap, overlap**-0.5), "valid")


def alarms(after: float, courses: int = 120, before: int = 100) -> float:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(courses):
        past, live = corrs(before, 0.03, rng), corrs(100, after, rng)
        found.append(bool((drift(past, live, overlap=OVERLAP).fall_R > LIMIT).any()))
    return float(np.mean(found))


def test_a_champion_that_keeps_its_corr_seldom_alarms() -> None:
    assert alarms(0.03) <= 0.12


def test_one_that_lost_it_is_found_out() -> None:
    assert alarms(0.0) >= 0.5
    assert alarms(-0.03) >= 0.9


def test_errors_count_the_overlap() -> None:
    rng = np.random.default_rng(0)
    past, live = corrs(200, 0.03, rng), corrs(200, 0.03, rng)

    told, naive = drift(past, live, overlap=OVERLAP), drift(past, live, overlap=1)

    assert told.expected.standard_error > 1.4 * naive.expected.standard_error
    assert abs(told.deviations) < abs(naive.deviations)


def test_falls_are_summed_round_by_round_and_never_below_zero() -> None:
    before = np.full(20, 0.05)

    falls = summed_falls(before, np.array([0.05, -0.05, -0.05, 0.35]), deviation=0.1)

    assert falls == pytest.approx([0.0, 1.0 - ALLOWANCE, 2.0 * (1.0 - ALLOWANCE), 0.0])


def test_without_a_record_there_is_no_expectation() -> None:
    assert drift(np.zeros(LEAST_BEFORE - 1), np.zeros(50), overlap=OVERLAP) is None
    assert drift(np.zeros(50), np.zeros(0), overlap=OVERLAP) is None


def test_one_live_round_is_read_already() -> None:
    found = drift(np.random.default_rng(0).normal(0.03, 0.05, 40), np.array([-0.5]), overlap=OVERLAP)

    assert found.fall > 0
    assert not found.has_drifted
    assert np.isnan(found.deviations)


@pytest.mark.parametrize(
    ("trained", "live", "overfitted"),
    [((0.04, 0.005), (0.0, 0.01), True), ((0.04, 0.02), (0.01, 0.02), False), ((0.0, 0.005), (0.04, 0.01), False)],
)
def test_a_gap_beyond_two_errors_is_overfitting(
    trained: tuple[float, float], live: tuple[float, float], overfitted: bool
) -> None:
    gap = Gap(Difference(*trained, 100), Difference(*live, 40))

    assert gap.mean == pytest.approx(trained[0] - live[0])
    assert gap.is_overfitted is overfitted
