"""Exponential weights over experts that may sleep.

Shape suffixes: R rounds in the order of their resolution, E experts. An expert asleep keeps its weight: those awake
share among themselves what they held together. Source: Freund, Schapire, Singer and Warmuth 1997, figure 2; with
a share, Herbster and Warmuth 1998, section 4, over those awake.
"""

from __future__ import annotations

import numpy as np

from tournament.selectors.protocol import Floats


def specialists(gains_RE: Floats, *, rate: float, share: float = 0.0) -> Floats:
    """Log weights (E) after all rounds, from a uniform prior; a gain is NaN where the expert sleeps.

    w_i <- w_i exp(rate g_i) W / W', with W and W' the sums over those awake before and after; then each of those awake
    gives `share` of its weight into a pot that they part evenly.
    """
    log_E = np.full(gains_RE.shape[1], -np.log(gains_RE.shape[1]))
    for gain_E, awake_E in zip(gains_RE, np.isfinite(gains_RE), strict=True):
        before = log_E[awake_E]
        if not before.size:
            continue
        after = before + rate * gain_E[awake_E]
        after = after - _log_sum(after)
        if share:
            after = np.logaddexp(after + np.log1p(-share), np.log(share / len(after)))
        log_E[awake_E] = after + _log_sum(before)
    return log_E


def _log_sum(log_E: Floats) -> float:
    """ln sum exp, many times as fast as logaddexp.reduce."""
    top = float(log_E.max())
    return top + float(np.log(np.exp(log_E - top).sum()))
