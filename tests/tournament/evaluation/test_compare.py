"""Paired differences between selectors, with errors that know of overlap."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.evaluation.compare import mean_and_error, paired


def test_a_difference_is_taken_over_the_rounds_that_both_have() -> None:
    found = paired(np.array([0.1, np.nan, 0.5, 0.2]), np.array([0.0, 0.3, 0.2, np.nan]), overlap=1)

    assert (found.mean, found.rounds) == (pytest.approx(0.2), 2)
    assert found.standard_error == pytest.approx(np.std([0.1, 0.3], ddof=1) / np.sqrt(2))


def test_overlapping_targets_widen_the_error() -> None:
    drawn = np.random.default_rng(0).standard_normal(404)
    values = np.convolve(drawn, np.ones(5), "valid") / 5

    plain, wide = (mean_and_error(values, overlap=overlap).standard_error for overlap in (1, 5))

    assert wide > 1.5 * plain


def test_a_gain_counts_only_beyond_its_error() -> None:
    ours = np.array([0.02, 0.01, 0.03, 0.02])

    assert paired(ours, np.zeros(4), overlap=1).is_positive
    assert not paired(np.zeros(4), ours, overlap=1).is_positive
    assert not paired(ours, np.array([0.3, -0.3, 0.2, -0.18]), overlap=1).is_positive


def test_one_common_round_says_nothing() -> None:
    found = paired(np.array([0.1, np.nan]), np.array([0.0, 0.1]), overlap=1)

    assert (found.rounds, found.is_positive) == (1, False)
    assert np.isnan([found.mean, found.standard_error]).all()
