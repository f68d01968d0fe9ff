"""What an explanation holds, and its plain form for storing.

Shape suffixes: M models, K regimes, C context columns, R rounds of the support, E contexts to ask in, W left out.
Nothing in it reads a score of the round that it explains. `Explanation.plain()` is what the site stores:

    {"format": 1,
     "estimate": "scores" | "own" | "recent",     whose expected scores the values rest on, see `Estimate`
     "corr": 0.031,                                expected corr of the blend
     "models": {name: [expected score, leave-one-out, Shapley value]},            models with weight
     "without": {name: [expected corr without it, {name: change of weight}]},     heaviest first, largest changes
     "like": {"by": "attention" | "context", "rounds": [[number, similarity]]},
     "regimes": {"names": [...], "probabilities": [...], "weights": {name: [weight were each regime certain]}},
     "context": {"names": [...], "spreads": [...], "moved": {name: [change of weight by each variable]}}}

`regimes` and `context` are absent where the family knows no regimes or reads no context.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FORMAT = 1
LEAST_TOLD = 5e-4
"""Changes of weight below this are left out of what is stored."""
TAKERS = 6
"""So many of the models whose weight changes most are stored for each one left out."""


class Estimate(StrEnum):
    """Whose expected scores an explanation rests on."""

    SCORES = "scores"
    """The family's own, in units of corr."""
    OWN = "own"
    """The family's own, on a scale of its own (its loss is blind to it): only ratios mean something."""
    RECENT = "recent"
    """Recent mean scores, in units of corr: the family weighs without expecting scores."""


class LikeBy(StrEnum):
    """By what past rounds are called like this one."""

    ATTENTION = "attention"
    """The family's own attention to each round, as a multiple of an average round's."""
    CONTEXT = "context"
    """exp(-d / 2), d the mean squared distance of the contexts in spreads: 1 for the same context."""


@dataclass(frozen=True, slots=True)
class Regimes:
    """How likely each regime is, and the weights (K x M) that the family would give were it certain."""

    names: tuple[str, ...]
    probability_K: Floats
    weights_KM: Floats


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a family would answer to one query in several contexts, and what else only the family knows."""

    weights_EM: Floats
    expected_EM: Floats | None = None
    """Expected scores; None where the family has none."""
    estimate: Estimate = Estimate.RECENT
    ridge: float | None = None
    """The allocator's, where the weights are the allocator's answer to the expected scores."""
    regimes: Regimes | None = None
    attention_R: Floats | None = None
    """Share of its attention that the family gives each round of the support; sums to one."""


@dataclass(frozen=True, slots=True)
class Without:
    """The weights (W x M) were each of some models absent, and the blend's expected corr (W) then."""

    models: tuple[str, ...]
    weights_WM: Floats
    corr_W: Floats


@dataclass(frozen=True, slots=True)
class Like:
    """Past rounds most like this one, nearest first, with their similarity."""

    by: LikeBy
    rounds: tuple[int, ...]
    similarity: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """How each context variable moved the weights away from those in the average context.

    `moved_CM` (changes of weight) sums over C to the weights less those in the average context, to rounding.
    """

    names: tuple[str, ...]
    spread_C: Floats
    """The context less the average one, in standard deviations; NaN where not known."""
    moved_CM: Floats


@dataclass(frozen=True, slots=True)
class Explanation:
    """One round's weights explained; values are in the unit of the estimate."""

    models: tuple[str, ...]
    weights_M: Floats
    estimate: Estimate
    expected_M: Floats
    corr: float
    leave_one_out_M: Floats
    shapley_M: Floats
    without: Without
    like: Like
    regimes: Regimes | None
    context: Movement | None

    def plain(self) -> dict[str, Any]:
        """Plain numbers and names for storing as JSON; see the top of this file."""
        out: dict[str, Any] = {
            "format": FORMAT, "estimate": str(self.estimate), "corr": _figure(self.corr),
            "models": self._by_model(), "without": self._without(),
            "like": {"by": str(self.like.by), "rounds": _pairs(self.like.rounds, self.like.similarity)},
        }  # fmt: skip
        if self.regimes is not None:
            out["regimes"] = {
                "names": list(self.regimes.names), "probabilities": _figures(self.regimes.probability_K),
                "weights": _told(self.models, self.regimes.weights_KM.T),
            }  # fmt: skip
        if self.context is not None:
            out["context"] = {
                "names": list(self.context.names), "spreads": _figures(self.context.spread_C),
                "moved": _told(self.models, self.context.moved_CM.T),
            }  # fmt: skip
        return out

    def _by_model(self) -> dict[str, list[float | None]]:
        values_MV = np.column_stack([self.expected_M, self.leave_one_out_M, self.shapley_M])
        return {self.models[place]: _figures(values_MV[place]) for place in np.flatnonzero(self.weights_M > 0)}

    def _without(self) -> dict[str, list[Any]]:
        change_WM = self.without.weights_WM - self.weights_M
        out: dict[str, list[Any]] = {}
        for name, corr, change_M in zip(self.without.models, self.without.corr_W, change_WM, strict=True):
            most = sorted(np.flatnonzero(np.abs(change_M) >= LEAST_TOLD), key=lambda place: -abs(change_M[place]))
            takers = {self.models[place]: _weight(change_M[place]) for place in most[: TAKERS + 1]}
            out[name] = [_figure(corr), {taker: change for taker, change in takers.items() if taker != name}]
        return out


def _told(models: tuple[str, ...], values_MX: Floats) -> dict[str, list[float | None]]:
    """Rows of the models that have any value worth telling."""
    told_M = (np.abs(values_MX) >= LEAST_TOLD).any(axis=1)
    return {models[place]: [_weight(value) for value in values_MX[place]] for place in np.flatnonzero(told_M)}


def _pairs(numbers: tuple[int, ...], values: tuple[float, ...]) -> list[list[float | None]]:
    return [[number, _figure(value)] for number, value in zip(numbers, values, strict=True)]


def _figures(values: Floats) -> list[float | None]:
    return [_figure(value) for value in values]


def _figure(value: float) -> float | None:
    """Four digits that count; None for what is no number."""
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _weight(value: float) -> float:
    """A weight or a change of one, to a hundredth of a per cent."""
    return round(float(value), 4) + 0.0
