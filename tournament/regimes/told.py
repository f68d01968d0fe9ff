"""The regime of each past era as it was told at its close.

Shape suffixes: T eras (oldest first), K context columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tournament.regimes.filters import fit_hmm
from tournament.regimes.model import Floats
from tournament.regimes.names import regime_names

REGIMES = 4
MIN_CONTEXTS = 30


def regimes_told(context_TK: Floats, names: Sequence[str], *, since: int, seed: int = 0) -> tuple[str, ...]:
    """The likeliest regime of every era from row `since` on; empty where the rows before it are too few to learn from.

    The model is fitted to contexts before `since` alone, and each probability is filtered: none reads a later row.
    """
    past_TK = context_TK[:since]
    if len(past_TK) < MIN_CONTEXTS or not np.isfinite(past_TK).any():
        return ()
    model = fit_hmm(past_TK, names, regimes=REGIMES, seed=seed)
    called = regime_names(model, tuple(names))
    return tuple(called[place] for place in model.filtered(context_TK)[since:].argmax(axis=1))
