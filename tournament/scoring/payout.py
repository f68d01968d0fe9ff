"""What a stake earns or loses in a round, in exact decimals.

payout = stake * clip(factor * (a * corr + b * mmc), -clip, +clip). Source: the staking rules of the field
(Numerai's docs, 2024-2026), with every number taken from the tournament's rules.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

from tournament.rules import Rules

POINT = Decimal("0.000001")
"""The smallest amount of points."""


def payout(stake: Decimal, corr: float | None, mmc: float | None, rules: Rules) -> Decimal:
    """Points won (or, negative, lost) on `stake`; a missing score pays nothing."""
    if corr is None or math.isnan(corr):
        return Decimal(0).quantize(POINT)
    contribution = 0.0 if mmc is None or math.isnan(mmc) else mmc
    raw = rules.payout_factor * (rules.corr_multiplier * corr + rules.mmc_multiplier * contribution)
    clipped = max(-rules.payout_clip, min(rules.payout_clip, raw))
    return (stake * Decimal(repr(clipped))).quantize(POINT, rounding=ROUND_HALF_EVEN)
