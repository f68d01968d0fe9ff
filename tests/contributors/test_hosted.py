"""The files that the demonstration's contributors hand in: good, and the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from contributors.hosted import HOSTED, HostedEntry
from contributors.strategies import MIDDLE_BIN, Training
from tests.hosting import files
from workers.sandbox.runner import of_rounds, run

NAMES = ["momentum", "reversal", "value", "size", "noise"]


def training() -> Training:
    features, target = files.drawn(2_000)
    return Training(features.astype(float) - MIDDLE_BIN, {"target": target}, np.repeat(np.arange(20), 100), {})


@pytest.mark.parametrize("entry", HOSTED, ids=[entry.model for entry in HOSTED])
def test_a_file_is_good_and_has_learned_from_features_as_they_are_published(entry: HostedEntry) -> None:
    features, target = files.drawn(500, seed=7)

    answer = run(entry.pack(training(), NAMES), of_rounds(features, NAMES))

    assert np.corrcoef(answer.values, target)[0, 1] > 0.5


@pytest.mark.parametrize("entry", HOSTED, ids=[entry.model for entry in HOSTED])
def test_a_file_has_the_same_bytes_each_time(entry: HostedEntry) -> None:
    assert entry.pack(training(), NAMES) == entry.pack(training(), NAMES)
