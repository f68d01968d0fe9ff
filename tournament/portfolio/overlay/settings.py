"""The settings of the controls, one by one and as columns over many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadConfig, Fault

Floats = NDArray[np.float64]
RANGES = {
    "half_life": (1.0, np.inf), "power": (0.0, 3.0), "target": (0.0, 10.0), "cap": (0.0, 20.0), "band": (0.0, 0.99),
    "drawdown_limit": (0.0, 1.0), "floor": (0.0, 1.0), "kelly": (0.0, 1.0), "least": (2, np.inf),
}  # fmt: skip
"""Least and most of every setting."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What decides the exposure; the defaults are volatility targeting alone. Half-life and `least` in periods.

    `power` of the ratio target / volatility: 0 constant, 1 volatility, 2 variance (Moreira & Muir 2017). `target` is a
    volatility a year; 0: the long-run volatility of the book so far. `band`: relative changes below it are not traded.
    `drawdown_limit` 0: none; else the exposure shrinks with the cushion, never below `floor`. `kelly`: fraction of the
    growth-optimal size above which no risk is taken; 0: not asked. Below `least` periods the exposure is 1.
    """

    half_life: float = 63.0
    power: float = 1.0
    target: float = 0.0
    cap: float = 2.0
    band: float = 0.1
    drawdown_limit: float = 0.0
    floor: float = 0.25
    kelly: float = 0.0
    least: int = 60

    def __post_init__(self) -> None:
        """Refuse what is outside its range. Raises BadConfig with every fault."""
        faults = []
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not np.isfinite(value) or not low <= value <= high:
                faults.append(Fault("out_of_range", f"{name} is {value}", f"give {low:g} to {high:g}"))
        if faults:
            raise BadConfig(faults)


class Grid(NamedTuple):
    """Settings as columns (J x 1), to be broadcast over strategies; `decay` is what a half-life keeps a period."""

    half_life: Floats
    power: Floats
    target: Floats
    cap: Floats
    band: Floats
    drawdown_limit: Floats
    floor: Floats
    kelly: Floats
    least: Floats
    decay: Floats

    @classmethod
    def of(cls, settings: Sequence[Controls]) -> Grid:
        """Settings in their order."""
        columns = [np.array([[getattr(one, field.name)] for one in settings], float) for field in fields(Controls)]
        return cls._make([*columns, 0.5 ** (1.0 / columns[0])])


CONSTANT = Controls(power=0.0, band=0.0)
DEFAULT = Controls()
DRAWDOWN_LIMIT = 0.25
"""The limit that is tried where none is set: 25 % with a floor of a quarter (Zhou & Shang 2015 ask for a floor)."""

LEARNABLE: dict[str, Controls] = {
    "volatility, 3 months": DEFAULT,
    "constant": CONSTANT,
    "volatility, 1 month": replace(DEFAULT, half_life=21.0),
    "volatility, 6 months": replace(DEFAULT, half_life=126.0),
    "volatility, 1 year": replace(DEFAULT, half_life=252.0),
    "root of volatility": replace(DEFAULT, power=0.5),
    "variance, 1 month": replace(DEFAULT, half_life=21.0, power=2.0),
    "variance, 3 months": replace(DEFAULT, power=2.0),
    "drawdown 25 %": replace(CONSTANT, drawdown_limit=DRAWDOWN_LIMIT, band=0.1),
    "volatility and drawdown 25 %": replace(DEFAULT, drawdown_limit=DRAWDOWN_LIMIT),
    "volatility and drawdown 15 %": replace(DEFAULT, drawdown_limit=0.15),
    "volatility, half Kelly": replace(DEFAULT, kelly=0.5),
    "volatility, quarter Kelly": replace(DEFAULT, kelly=0.25),
}
"""What the learner may turn to; the first is the default that it keeps where nothing is shown."""

LIVE: dict[str, Controls] = {name: replace(one, cap=1.0) for name, one in LEARNABLE.items()}
"""The same for a book that its own limit on gross already fills: exposure may only fall below one."""
