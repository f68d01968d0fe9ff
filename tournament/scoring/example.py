"""The platform's own example, beside which contributions are told where there is no benchmark."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tournament.scoring.ranks import Floats


def example_score(frame: pd.DataFrame) -> Floats:
    """What the platform's own example ranks by: momentum less volatility; NaN where the features are lacking (N)."""
    if not {"momentum_12_1", "volatility_12"} <= set(frame.columns):
        return np.full(len(frame), np.nan)
    return np.asarray(frame["momentum_12_1"].to_numpy(float) - frame["volatility_12"].to_numpy(float))
