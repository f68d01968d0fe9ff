"""Learners led through a season beside the convex allocator: at each decision they know what was known there.

Shape suffixes: D decisions, T days, A numbers of an action. A training reads only decisions whose payment was known,
less an embargo as long as a target; what is paid later is told when it is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tournament.errors import BadConfig, Fault
from tournament.evaluation.gains import Gain, gain
from tournament.portfolio.overlay.judging import Change, judge
from tournament.portfolio.reinforcement.account import Account
from tournament.portfolio.reinforcement.actions import chosen_book, grid
from tournament.portfolio.reinforcement.environment import AllocationEnv, Seen
from tournament.portfolio.reinforcement.season import Season
from tournament.portfolio.risk import Floats

YEAR, BLOCK = 252.0, 63
LEAST_PRACTISED = 26


class Learner(Protocol):
    """Sets the allocator from what is seen."""

    @property
    def name(self) -> str:
        """As tables call it."""

    def learn(self, season: Season, *, first: int, last: int) -> None:
        """Learn from decisions `first` to `last` of the past."""

    def act(self, place: int, seen: Seen) -> Floats:
        """The action (A) of a decision."""

    def told(self, paid: Mapping[int, float]) -> None:
        """Rewards that became known, by decision."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The decision from which a learner acts, how many later it learns anew, and decisions left out before each."""

    warmup: int
    every: int
    embargo: int

    def __post_init__(self) -> None:
        """Refuse a schedule that nothing could be learned by. Raises BadConfig."""
        if self.every < 1 or self.embargo < 0 or self.warmup < LEAST_PRACTISED + self.embargo + 2:
            found = f"warm-up of {self.warmup} decisions with an embargo of {self.embargo}, learning every {self.every}"
            raise BadConfig(Fault("schedule", found, f"leave at least {LEAST_PRACTISED} decisions to learn from"))


@dataclass(frozen=True, slots=True)
class Walked:
    """What a learner did and earned: actions from the warm-up on (D x A), net returns of the days that followed (T)."""

    name: str
    first_row: int
    action_DA: Floats
    net_T: Floats
    refused: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A learner beside the convex allocator on the same days: return a year, and Sharpe ratio, with paired errors."""

    name: str
    years: float
    base_return: float
    base_sharpe: float
    gain: Gain
    """Of a day's net return."""
    change: Change


def walk(
    season: Season, learner: Learner, schedule: Schedule, *, tell: Callable[[int], object] = lambda place: None
) -> Walked:
    """From the default's book at the warm-up's end to the last decision whose payment is known."""
    env = AllocationEnv(season, first=schedule.warmup)
    seen, over, actions, nets, refused = env.reset()[0], False, [], [], 0
    while not over:
        place = env.row
        if (place - schedule.warmup) % schedule.every == 0:
            learner.learn(season, first=0, last=known_before(season, place) - schedule.embargo)
        actions.append(learner.act(place, seen))
        seen, _, over, _, info = env.step(actions[-1].astype(np.float32))
        learner.told(info["paid"])
        nets.append(info["net"])
        refused += info["is_refused"]
        tell(place)
    return Walked(
        learner.name, season.decisions[schedule.warmup].row + 1, np.array(actions), np.concatenate(nets), refused
    )


def known_before(season: Season, place: int) -> int:
    """How many decisions' payments are known at the close of one: their books had been sold by then."""
    sold_D = np.array([one.row for one in season.decisions[1:]]) + season.config.execution.delay_days
    return int((sold_D <= season.decisions[place].row).sum())


def compare(season: Season, walked: Walked, *, seed: int = 0) -> Comparison:
    """The walk beside the default's on the same days; errors by blocks of a quarter, the same ones for both."""
    base_T = season.default_net_T[walked.first_row : walked.first_row + len(walked.net_T)]
    change = judge(walked.net_T, base_T, periods_a_year=YEAR, block=BLOCK, seed=seed)
    base = float(np.nanmean(base_T)) * YEAR
    paired = gain(walked.net_T, base_T, block=BLOCK, seed=seed)
    return Comparison(walked.name, len(base_T) / YEAR, base, change.sharpe - change.gain, paired, change)


def foreseen(season: Season, schedule: Schedule) -> Walked:
    """The leak canary: at each decision the setting whose book will be paid most, known from the future.

    What an honest learner must not come near; how far it is above the default says what there would be to gain.
    """
    arms, nets, actions = list(grid(season.blends).values()), [], []
    account = Account.at(season, schedule.warmup, season.default_DN[schedule.warmup])
    for place in range(schedule.warmup, season.last):
        books = [chosen_book(season, season.decisions[place], arm_A, account.held.weights_N) for arm_A in arms]
        paid = [_payment(account, book) for book in books]
        best = int(np.argmax(paid))
        nets.append(account.sail(books[best])[0])
        actions.append(arms[best])
    nets.append(account.finish()[0])
    row = season.decisions[schedule.warmup].row + 1
    return Walked("foreseen", row, np.array(actions), np.concatenate(nets), 0)


def _payment(account: Account, book: Floats | None) -> float:
    """What a book will be paid; the account stays where it is."""
    ahead = copy(account)
    ahead.sail(book)
    return ahead.finish()[1][account.place]
