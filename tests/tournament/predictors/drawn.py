"""Eras in which few of many features pay, and which way they pay turns from regime to regime."""

from __future__ import annotations

import numpy as np

from tournament.predictors.eras import Eras, eras_of

ROWS, FEATURES, PAYING, STAY, NOISE = 40, 12, 2, 10, 2.0


def drawn(seed: int = 0, *, eras: int = 120) -> Eras:
    """Targets of 0 to 1 in five bins: payoffs of the first features plus noise; signs are drawn anew every stay."""
    rng = np.random.default_rng(seed)
    sections = []
    for number in range(1, eras + 1):
        if (number - 1) % STAY == 0:
            signs = rng.choice([-1.0, 1.0], size=PAYING)
        bins = rng.integers(0, 5, size=(ROWS, FEATURES)).astype(np.int8)
        value = (bins[:, :PAYING] - 2.0) @ signs + NOISE * rng.normal(size=ROWS)
        sections.append((number, bins, np.floor(value.argsort().argsort() * 5 / ROWS) / 4))
    return eras_of(sections)
