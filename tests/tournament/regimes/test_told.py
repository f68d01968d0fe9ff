"""Regimes of past eras are told from what was known at each."""

from __future__ import annotations

import numpy as np
import pytest

from tournament.regimes.told import regimes_told

NAMES = ("volatility", "momentum_return")


@pytest.fixture(scope="module")
def contexts() -> np.ndarray:
    """A calm and a wild weather in turn, 25 eras each."""
    rng = np.random.default_rng(3)
    level = np.tile(np.repeat([0.1, 0.5], 25), 3)
    return np.stack([level * np.exp(0.1 * rng.standard_normal(150)), rng.standard_normal(150) * 0.01], axis=1)


def test_two_weathers_have_names_of_their_own(contexts: np.ndarray) -> None:
    told = np.array(regimes_told(contexts, NAMES, since=100))

    calm, wild = set(told[5:25]), set(told[30:])
    assert len(told) == 50
    assert not calm & wild


def test_what_comes_later_changes_nothing(contexts: np.ndarray) -> None:
    altered = contexts.copy()
    altered[130:] *= 7.0

    assert regimes_told(altered, NAMES, since=100)[:30] == regimes_told(contexts, NAMES, since=100)[:30]


def test_too_short_a_past_tells_nothing(contexts: np.ndarray) -> None:
    assert regimes_told(contexts, NAMES, since=29) == ()
