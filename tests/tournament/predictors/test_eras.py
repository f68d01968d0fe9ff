"""Eras: what is known when, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.tournament.predictors.drawn import FEATURES, drawn
from tournament.errors import BadInput
from tournament.predictors.eras import eras_of, sections_of

ERAS = drawn(eras=20)


def test_a_target_is_known_when_its_wait_is_over() -> None:
    assert ERAS.known_at(12, 5).number_E.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_gaps_between_eras_count_as_time() -> None:
    gapped = ERAS.take([0, 1, 10, 11])

    assert gapped.known_at(16, 5).number_E.tolist() == [1, 2, 11]


def test_the_newest_are_the_last_and_never_more_than_there_are() -> None:
    assert ERAS.newest(3).number_E.tolist() == [18, 19, 20]
    assert len(ERAS.newest(99)) == 20


def test_rows_without_a_target_are_left_out_and_eras_may_differ_in_size() -> None:
    bins = np.ones((3, 2), dtype=np.int8)

    made = eras_of([(1, bins, np.array([0.5, np.nan, 1.0])), (2, bins, np.array([0.0, 0.25, 1.0]))])

    assert np.isfinite(made.target_EN).sum(axis=1).tolist() == [2, 3]
    assert made.rows()[1].tolist() == [0.5, 1.0, 0.0, 0.25, 1.0]


def test_a_file_s_rows_become_eras() -> None:
    frame = pd.DataFrame({"era": ["0003", "0003", "0004"], "a": [0, 4, 2], "b": [1, 1, 1], "target": [0.0, 1.0, 0.5]})

    made = eras_of(sections_of(frame, ["b", "a"]))

    assert made.number_E.tolist() == [3, 4]
    assert made.features_ENF[0].tolist() == [[1, 0], [1, 4]]


def test_a_file_without_a_feature_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="no column b"):
        sections_of(pd.DataFrame({"era": ["0001"], "a": [0], "target": [0.5]}), ["a", "b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number_E": ERAS.number_E[::-1]}, "numbers of eras do not increase"),
        ({"number_E": ERAS.number_E[:-1]}, "do not meet"),
        ({"features_ENF": ERAS.features_ENF + np.int8(1)}, "features are from 1 to 5"),
        ({"target_EN": np.full_like(ERAS.target_EN, np.inf)}, "a target is infinite"),
    ],
)
def test_eras_that_cannot_be_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        replace(ERAS, **change)


def test_no_eras_at_all_and_eras_of_other_features_are_refused() -> None:
    one = np.zeros((4, FEATURES), dtype=np.int8)

    with pytest.raises(BadInput, match="no era to learn from"):
        eras_of([])
    with pytest.raises(BadInput, match="give each era the same ones"):
        eras_of([(1, one, np.zeros(4)), (2, one[:, :3], np.zeros(4))])
    with pytest.raises(BadInput, match="4 rows of features, 3 targets"):
        eras_of([(1, one, np.zeros(3))])
