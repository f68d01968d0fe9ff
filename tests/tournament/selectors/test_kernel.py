"""The kernel look-up: near weather counts, unknown scores do not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tournament.histories import history, regimes
from tournament.selectors.kernel import BANDWIDTHS, Kernel, kernel_means, squared_distance
from tournament.selectors.protocol import Budget


def test_contexts_of_the_training_are_white() -> None:
    past = history()
    arrays = Kernel().meta_train([past], Budget()).arrays

    standard = np.log(past.contexts()[:, arrays["columns_C"]]) - arrays["centre_C"]
    white = np.clip(standard / arrays["spread_C"], -4, 4) @ arrays["turn_CC"]

    assert np.cov(white.T, ddof=0) == pytest.approx(np.eye(white.shape[1]), abs=1e-6)
    assert arrays["bandwidth"][0] in BANDWIDTHS


def test_models_that_were_good_in_like_weather_are_expected_to_be() -> None:
    past = history(90)
    weather = regimes(130)[40:]
    distance = (weather[:, None] != weather[None]) * 100.0

    means = kernel_means(past.take(slice(80, 90)), past, distance[80:], 1.0)

    own = np.arange(8) % 2 == weather[89]
    assert means[-1][own].min() > means[-1][~own].max()


def test_unresolved_rounds_count_nothing() -> None:
    past = history(40)
    bold = history(40)
    bold.scores_RM[31:] = 9.0

    row = slice(35, 36)
    means = [kernel_means(one.take(row), one, np.zeros((1, 40)), 1.0) for one in (past, bold)]

    assert np.array_equal(*means)


def test_distance_is_the_mean_square_over_columns() -> None:
    found = squared_distance(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]))

    assert found == pytest.approx(np.array([[0.0, 4.0]]))
