"""What a simulated tournament is like, and the prior from which such descriptions are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tournament.errors import BadConfig, Fault

LIMITS = {
    "rounds": (20, 100_000), "models": (2, 20_000), "assets": (20, 1_000_000), "regimes": (1, 50),
    "mean_stay": (1, 100_000), "stay_shape": (0.1, 100), "separation": (0, 100), "payoff": (0, 0.3), "core": (0, 10),
    "shock": (0, 0.3), "themes": (1, 200), "groups": (1, 10_000), "ignorant": (0, 1), "clones": (0, 1),
    "decaying": (0, 1), "late": (0, 1), "leaving": (0, 1), "overlap": (1, 100), "delay": (1, 200),
    "columns": (1, 200), "irrelevant": (0, 200), "context_memory": (0, 0.999), "context_lag": (0, 100),
}  # fmt: skip
"""Least and largest value of each field."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One simulated tournament with weekly rounds; shares are fractions of the models, stays are in rounds.

    `payoff` is the size of the themes' regime payoffs, `shock` of their weekly ones, `core` of what pays in every
    regime beside it, `separation` of the regimes' context means in standard deviations of a context column.
    """

    rounds: int = 320
    models: int = 100
    assets: int = 500
    regimes: int = 4
    mean_stay: float = 20.0
    stay_shape: float = 1.0
    separation: float = 0.45
    payoff: float = 0.024
    core: float = 0.45
    shock: float = 0.02
    themes: int = 8
    groups: int = 10
    ignorant: float = 0.15
    clones: float = 0.0
    decaying: float = 0.0
    late: float = 0.25
    leaving: float = 0.1
    overlap: int = 4
    delay: int = 5
    columns: int = 6
    irrelevant: int = 0
    context_memory: float = 0.5
    context_lag: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible worlds. Raises BadConfig with every fault."""
        faults = [
            Fault("out_of_range", f"{name} is {getattr(self, name)}", f"give {low:g} to {high:g}")
            for name, (low, high) in LIMITS.items()
            if not low <= getattr(self, name) <= high
        ]
        if self.delay < self.overlap:
            found = f"delay {self.delay} is below overlap {self.overlap}"
            faults.append(Fault("delay", found, "a score is known when its target has ended"))
        if faults:
            raise BadConfig(faults)


def draw_spec(rng: np.random.Generator, *, rounds: int = 320, models: int | None = None) -> Spec:
    """A description from the prior: one in five is a world in which learning regimes cannot help, or is a trap."""
    overlap = int(rng.choice([1, 2, 4, 6], p=[0.15, 0.15, 0.5, 0.2]))
    drawn = Spec(
        rounds=rounds,
        models=int(rng.integers(30, 121)) if models is None else models,
        assets=int(np.exp(rng.uniform(np.log(150), np.log(6000)))),
        regimes=int(rng.integers(2, 7)),
        mean_stay=float(np.exp(rng.uniform(np.log(8), np.log(80)))),
        stay_shape=float(rng.choice([1.0, 2.0, 4.0])),
        separation=float(rng.uniform(0.1, 1.6)),
        payoff=float(rng.uniform(0.010, 0.040)),
        core=float(rng.uniform(0.0, 1.0)),
        shock=float(rng.uniform(0.0, 0.03)),
        themes=int(rng.integers(3, 13)),
        groups=int(rng.integers(2, 16)),
        ignorant=float(rng.uniform(0.0, 0.4)),
        clones=float(rng.choice([0.0, 0.1, 0.3])),
        decaying=float(rng.choice([0.0, 0.0, 0.2])),
        late=float(rng.uniform(0.0, 0.5)),
        leaving=float(rng.uniform(0.0, 0.3)),
        overlap=overlap,
        delay=overlap + int(rng.integers(0, 3)),
        columns=int(rng.integers(3, 9)),
        irrelevant=int(rng.integers(0, 4)),
        context_memory=float(rng.uniform(0.0, 0.85)),
        context_lag=int(rng.choice([0, 0, 1, 3])),
    )
    return _trap(drawn, rng) if rng.random() < 0.2 else drawn


def _trap(spec: Spec, rng: np.random.Generator) -> Spec:
    """No regimes, no skill, a flood of clones, or contexts that tell nothing."""
    traps = (
        replace(spec, regimes=1),
        replace(spec, payoff=0.0, shock=0.0),
        replace(spec, clones=0.7),
        replace(spec, separation=0.0),
    )
    return traps[int(rng.integers(len(traps)))]
