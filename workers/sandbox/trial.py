"""Whether a model is good: it answers every row, the same bytes each time, and holds an opinion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tournament.errors import BadModel, Fault
from workers.sandbox.runner import Answer, Work

SEEDS = 1, 2
"""Of Python's hashes in the two runs, whose answers must be the same bytes."""


def answer_twice(run: Callable[[int], Answer], work: Work) -> Answer:
    """The answer of a good model to the work; `run` gives it for a seed.

    Raises BadModel, also when a second run differs, or when every row of each era gets the same value.
    """
    first, second = map(run, SEEDS)
    if first.values.tobytes() != second.values.tobytes():
        message = "the model answered otherwise when it was run again on the same rows"
        raise BadModel(Fault("not_the_same", message, "leave out whatever draws random numbers"))
    starts = (0, *work.ends[:-1])
    if all(np.ptp(first.values[start:end]) == 0 for start, end in zip(starts, work.ends, strict=True)):
        message = "the model gives every row of an era the same value"
        raise BadModel(Fault("constant", message, "a constant cannot rank anything; train it on the features"))
    return first
