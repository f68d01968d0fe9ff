"""What is submitted for a hosted model's answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tournament.scoring.ranks import Floats, tie_kept_ranks


def as_predictions(values_N: NDArray[np.float32]) -> Floats:
    """Ranks of the answer from 0 to 1, ties kept (N)."""
    return np.asarray(tie_kept_ranks(values_N[:, None].astype(float))[:, 0])
