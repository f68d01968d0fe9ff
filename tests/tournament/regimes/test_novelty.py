"""Novelty tells a market unlike all that was seen from one that merely turns among known regimes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from tournament.markets import dataset
from tournament.markets.context import CONTEXT_NAMES, context_matrix
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.regimes.novelty import LEAST_SEEN, known
from tournament.rules import Rules

NAMES = ("volatility", "dispersion", "momentum_return")
LIMIT = Rules().novelty_limit


def drawn(rows: int, centre: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(centre, 0.3, (rows, 3)))


@lru_cache(maxsize=1)
def weeks() -> np.ndarray:
    """Contexts of a simulated market of nine years and four regimes."""
    panel = simulate(SimulationConfig(seed=1, assets=60, weeks=460)).panel
    return context_matrix(panel, dataset.era_rows(panel, Rules()))


def test_a_context_like_those_seen_is_inside_and_a_strange_one_far_outside() -> None:
    found = known(drawn(300), NAMES)

    assert found is not None
    assert np.mean([found.novelty(context) > 1.0 for context in drawn(200, seed=1)]) < 0.12
    assert found.novelty(drawn(1, centre=3.0)[0]) > 3 * LIMIT


def test_known_regimes_are_rarely_beyond_the_limit() -> None:
    contexts, beyond = weeks(), []

    for trained in range(320, len(contexts) - 40, 40):  # trained anew every 40 rounds, as the site does
        found = known(contexts[:trained], CONTEXT_NAMES)
        beyond += [found.novelty(context) > LIMIT for context in contexts[trained : trained + 40]]

    assert len(beyond) >= 120
    assert np.mean(beyond) <= 0.03


def test_a_market_with_three_times_its_noise_is_beyond_it() -> None:
    contexts = weeks()
    shaken = contexts[-1].copy()
    for name in ("volatility", "dispersion", "average_correlation"):
        shaken[CONTEXT_NAMES.index(name)] *= 3.0

    found = known(contexts, CONTEXT_NAMES)

    assert found.novelty(shaken) > LIMIT > found.novelty(contexts[-1])


def test_one_odd_week_in_the_past_makes_no_market_known() -> None:
    past, odd = drawn(300), drawn(1, centre=3.0)[0]
    past[100] = odd

    assert known(past, NAMES).novelty(odd) > LIMIT


def test_weeks_of_the_same_days_do_not_make_the_past_look_dense() -> None:
    """Each context four times in a row is the same past, with the same edge."""
    past = drawn(100)

    once, repeated = known(past, NAMES), known(np.repeat(past, 4, axis=0), NAMES)

    assert repeated.edge > 0.7 * once.edge


def test_missing_values_are_neither_far_nor_an_error() -> None:
    found = known(drawn(300), NAMES)

    assert found.novelty(np.full(3, np.nan)) < LIMIT


@pytest.mark.parametrize("contexts", [drawn(LEAST_SEEN - 1), np.full((100, 3), np.nan), np.ones((100, 3))])
def test_too_little_seen_makes_nothing_known(contexts: np.ndarray) -> None:
    assert known(contexts, NAMES) is None
