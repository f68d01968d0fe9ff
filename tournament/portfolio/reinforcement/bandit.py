"""A contextual bandit over settings of the allocator: linear Thompson sampling with rewards that come late.

Shape suffixes: J arms, O numbers that are seen (a constant besides), A numbers of an action. Each arm's reward is taken
as linear in what is seen; coefficients have a normal prior and noise of one variance for all arms. An arm is chosen by
one draw from every posterior, so that, while rewards are outstanding, choices spread by what is not known yet, where an
upper bound would choose the same arm until the first reward comes. A reward meets what was seen at its own decision.
Source: Agrawal and Goyal 2013, algorithm 1; Chapelle and Li 2011, section 5 (delays).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tournament.portfolio.reinforcement.actions import grid
from tournament.portfolio.reinforcement.environment import AllocationEnv, Seen
from tournament.portfolio.reinforcement.season import Season
from tournament.portfolio.risk import Floats

EXPECTED_RATIO = 0.1
"""Standard deviation of an arm's expected reward, before any was seen, in those of one reward: a small one, because
most of what a setting changes in a week is luck."""
FEWEST = 10.0
"""Rewards of deviation one, as if seen, by which the noise is measured at first."""


class ThompsonBandit:
    """Arms, posteriors, and the choices whose rewards are outstanding."""

    name = "bandit"

    def __init__(self, arms: Mapping[str, Floats], *, seed: int) -> None:
        self.arms = tuple(arms)
        self._action_JA = np.array([*arms.values()])
        self._rng = np.random.default_rng(seed)
        self._gram_JOO: Floats | None = None
        self._pull_JO = np.zeros((len(arms), 0))
        self._squares, self._count = FEWEST, FEWEST
        self._waiting = dict[int, tuple[int, Floats]]()

    @property
    def noise(self) -> float:
        """Standard deviation of a reward, as seen so far."""
        return float(np.sqrt(self._squares / self._count))

    def act(self, place: int, seen: Seen) -> Floats:
        """The action of the arm that wins one draw; its reward is waited for under this decision's place."""
        seen_O = np.concatenate([[1.0], np.asarray(seen, dtype=float)])
        arm = int(self._drawn_J(seen_O).argmax())
        self._waiting[place] = arm, seen_O
        return np.asarray(self._action_JA[arm])

    def chosen(self, place: int) -> str:
        """The arm of a decision whose reward is outstanding."""
        return self.arms[self._waiting[place][0]]

    def told(self, paid: Mapping[int, float]) -> None:
        """Take in rewards by decision; those of decisions that were not its own are left out."""
        for place, reward in paid.items():
            if place in self._waiting:
                arm, seen_O = self._waiting.pop(place)
                gram_JOO, pull_JO = self._known(len(seen_O))
                gram_JOO[arm] += np.outer(seen_O, seen_O)
                pull_JO[arm] += reward * seen_O
                self._squares, self._count = self._squares + reward**2, self._count + 1.0

    def expected_J(self, seen: Seen) -> Floats:
        """Mean reward of every arm, given what is seen."""
        seen_O = np.concatenate([[1.0], np.asarray(seen, dtype=float)])
        gram_JOO, pull_JO = self._known(len(seen_O))
        return np.asarray(np.linalg.solve(gram_JOO, pull_JO[..., None])[..., 0] @ seen_O)

    def learn(self, season: Season, *, first: int, last: int) -> None:
        """Practise on the past, as often as there are arms; a bandit that has practised goes on by what it is told."""
        if self._gram_JOO is not None:
            return
        env = AllocationEnv(season, first=first, last=last)
        for _ in self.arms:
            practise(self, env)

    def _drawn_J(self, seen_O: Floats) -> Floats:
        """One draw of each arm's expected reward: its mean and deviation along what is seen."""
        gram_JOO, pull_JO = self._known(len(seen_O))
        along_JO = np.linalg.solve(gram_JOO, np.broadcast_to(seen_O, pull_JO.shape)[..., None])[..., 0]
        deviation_J = self.noise * np.sqrt(np.maximum(along_JO @ seen_O, 0.0))
        return np.asarray((along_JO * pull_JO).sum(axis=1) + deviation_J * self._rng.standard_normal(len(self.arms)))

    def _known(self, size: int) -> tuple[Floats, Floats]:
        """Precision (in units of the noise) and pull of every arm; the prior at first."""
        if self._gram_JOO is None:
            self._gram_JOO = np.tile(np.eye(size) * size / EXPECTED_RATIO**2, (len(self.arms), 1, 1))
            self._pull_JO = np.zeros((len(self.arms), size))
        return self._gram_JOO, self._pull_JO


def practise(bandit: ThompsonBandit, env: AllocationEnv) -> NDArray[np.float64]:
    """One episode of acting and being told; the rewards as they came."""
    seen, over, rewards = env.reset()[0], False, []
    while not over:
        action = bandit.act(env.row, seen)
        seen, reward, over, _, info = env.step(action.astype(np.float32))
        bandit.told(info["paid"])
        rewards.append(reward)
    return np.array(rewards)


def bandit_for(season: Season, *, seed: int) -> ThompsonBandit:
    """A bandit over the allocator's defaults and each setting turned alone."""
    return ThompsonBandit(grid(season.blends), seed=seed)
