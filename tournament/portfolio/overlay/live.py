"""The exposure of a live book: what it earned since the last choice is taken in, then the next exposure is chosen.

All that is carried from choice to choice is a `Course`, kept with the book: nothing is read again from the beginning.
Every setting of the grid runs along as a shadow on the returns that the book would have had at exposure 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tournament.portfolio.limits import Limits
from tournament.portfolio.overlay.controls import (
    State,
    cushion_left,
    decided,
    long_run_volatility,
    manage,
    quick_volatility,
)
from tournament.portfolio.overlay.evidence import Estimate, Evidence, estimated, gathered
from tournament.portfolio.overlay.learned import SCEPTICAL
from tournament.portfolio.overlay.learner import gated
from tournament.portfolio.overlay.prior import Prior, posterior
from tournament.portfolio.overlay.settings import DEFAULT, LIVE, Floats, Grid

YEAR = 252.0
SETTINGS = list(LIVE.values())
GRID = Grid.of(SETTINGS)
SMALLEST_SHARE, DIGITS = 0.05, 3
"""The exposure is rounded to a tenth of a per cent, so that limits stay readable; a book always holds a twentieth."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A limit on the drawdown of the book, 0: none, and the share of the exposure that is always kept."""

    limit: float = 0.0
    floor: float = DEFAULT.floor


@dataclass(frozen=True, slots=True)
class Course:
    """How far the shadows have come."""

    state: State
    evidence: Evidence

    @classmethod
    def begun(cls) -> Course:
        """Before the first day."""
        return cls(State.fresh(len(SETTINGS), 1), Evidence.none(len(SETTINGS), 1))

    def written(self) -> dict[str, Any]:
        """As it is kept with a book."""
        return {"state": self.state.written(), "evidence": self.evidence.written()}

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Course:
        """From what `written` gave; a course of other settings, or none, begins anew."""
        if len(kept.get("state", {}).get("held", ())) != len(SETTINGS):
            return cls.begun()
        return cls(State.read(kept["state"]), Evidence.read(kept["evidence"]))


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of one setting: its weight, and its gain over the default in Sharpe ratio a year.

    The gain as expected of any strategy (prior), as seen on this book and as believed from both. `seen` and its error
    are None while the book is too young to say.
    """

    name: str
    weight: float
    prior: float
    prior_spread: float
    seen: float | None
    seen_error: float | None
    believed: float
    believed_error: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """The chosen share of the book, and why.

    Volatilities are a year's; `days` were seen, `waits` are missing before the share may leave one; `cushion` is what a
    drawdown leaves of it.
    """

    share: float
    volatility_now: float
    volatility_long: float
    days: int
    waits: int
    cushion: float
    settings: tuple[Learnt, ...]
    tasks: int
    """How many tasks of other strategies the prior was learned on; 0: none was known by then."""


def followed(course: Course, return_T: Floats, *, cost: float) -> Course:
    """The course after some days; `return_T` as at exposure 1 (T), `cost` of changing the exposure by 1."""
    managed = manage(
        return_T[:, None], np.full((len(return_T), 1), cost), SETTINGS, periods_a_year=YEAR, start=course.state
    )
    evidence = course.evidence
    for net_JS in managed.net_TJS:
        evidence = gathered(evidence, net_JS, periods_a_year=YEAR)
    return Course(managed.end, evidence)


def chosen(course: Course, protection: Protection, *, kept: float = 1.0, prior: Prior = SCEPTICAL) -> Exposure:
    """The exposure from now on, by the prior of that time.

    `kept` is the book's value as a share of its highest, which a limit is held against.
    """
    own = estimated(course.evidence)
    after = posterior(prior, own)
    weight_J = gated(after)[:, 0]
    wanted_J = decided(course.state, GRID, periods_a_year=YEAR)[:, 0]
    left, days = protected(kept, protection), int(course.state.periods[0, 0])
    settings = _learnt(weight_J, own, after, prior)
    volatility_now, volatility_long = (
        float(measure(course.state, periods_a_year=YEAR)[0, 0]) for measure in (quick_volatility, long_run_volatility)
    )
    share = round(float(weight_J @ wanted_J) * left, DIGITS)
    return Exposure(
        share, volatility_now, volatility_long, days, max(0, DEFAULT.least - days), left, settings, prior.tasks
    )


def _learnt(weight_J: Floats, own: Estimate, after: Estimate, prior: Prior) -> tuple[Learnt, ...]:
    told_J = np.isfinite(own.error[:, 0])
    return tuple(
        Learnt(
            name, float(weight_J[j]), float(prior.gain_J[j]), float(prior.spread_J[j]),
            float(own.gain[j, 0]) if told_J[j] else None, float(own.error[j, 0]) if told_J[j] else None,
            float(after.gain[j, 0]), float(after.error[j, 0]),
        )
        for j, name in enumerate(LIVE)
    )  # fmt: skip


def held_to(limits: Limits, share: float) -> Limits:
    """Limits under which the best book is that share of what it would be.

    The best book grows with gross and position, and as one over the aversion. Turnover stays: a change of exposure is
    part of what is traded.
    """
    share = max(share, SMALLEST_SHARE)
    return replace(
        limits, gross=limits.gross * share, position=limits.position * share, net=limits.net * share,
        aversion=limits.aversion / share,
    )  # fmt: skip


def protected(kept: float, protection: Protection) -> float:
    """The share of the exposure that the limit on drawdown leaves."""
    if protection.limit == 0:
        return 1.0
    return float(cushion_left(*(np.array(one) for one in (kept, protection.limit, protection.floor))))
