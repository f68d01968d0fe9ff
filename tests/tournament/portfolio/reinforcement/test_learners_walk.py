"""Learners led forward: what they may learn from, that no future moves them, and what the canary says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.portfolio.reinforcement.seasons import season, with_other_future
from tournament.errors import BadConfig
from tournament.portfolio.reinforcement import policy
from tournament.portfolio.reinforcement.actions import names
from tournament.portfolio.reinforcement.bandit import bandit_for
from tournament.portfolio.reinforcement.season import BLENDS
from tournament.portfolio.reinforcement.walk_forward import (
    Learner,
    Schedule,
    compare,
    foreseen,
    known_before,
    walk,
)

SCHEDULE = Schedule(warmup=34, every=8, embargo=5)
MOVED = 40
QUICK = replace(policy.CONFIG, steps=4, check_every=4)


class Still:
    """Leaves the allocator at its defaults and notes what it is shown."""

    name = "still"

    def __init__(self) -> None:
        self.learned, self.paid = list[tuple[int, int]](), list[Mapping[int, float]]()

    def learn(self, season: object, *, first: int, last: int) -> None:
        self.learned.append((first, last))

    def act(self, place: int, seen: np.ndarray) -> np.ndarray:
        return np.zeros(len(names(BLENDS)))

    def told(self, paid: Mapping[int, float]) -> None:
        self.paid.append(paid)


def test_learning_stops_an_embargo_before_the_newest_known_payment() -> None:
    still = Still()

    walk(season(), still, SCHEDULE)

    assert [known_before(season(), place) for place in (34, 42)] == [33, 41]
    assert still.learned == [(0, 28), (0, 36)]
    assert list(still.paid[0]) == []
    assert list(still.paid[1]) == [34]


def test_a_book_is_known_when_the_next_one_is_filled() -> None:
    sold = season().decisions[36].row + season().config.execution.delay_days

    assert season().decisions[36].row < sold <= season().decisions[37].row
    assert known_before(season(), 36) == 35


def test_who_changes_nothing_gains_nothing() -> None:
    found = compare(season(), walk(season(), Still(), SCHEDULE))

    assert found.gain.mean == pytest.approx(0.0, abs=1e-15)
    assert found.change.gain == pytest.approx(0.0, abs=1e-9)
    assert found.years == pytest.approx((13 * 5 + 1) / 252)


def test_the_canary_is_far_above_what_can_be_known() -> None:
    found = compare(season(), foreseen(season(), SCHEDULE))

    assert found.gain.mean * 252 > 0.05
    assert found.gain.mean > 4 * found.gain.standard_error


@pytest.mark.parametrize("learner", [
    lambda: bandit_for(season(), seed=0), lambda: policy.ProximalLearner(seed=0, config=QUICK),
], ids=["bandit", "ppo"])  # fmt: skip
def test_another_future_moves_no_action_before_it(learner: Callable[[], Learner]) -> None:
    one, other = (walk(each, learner(), SCHEDULE) for each in (season(), with_other_future(MOVED)))

    decided, days = MOVED - SCHEDULE.warmup, 5 * (MOVED - SCHEDULE.warmup)
    assert np.array_equal(one.action_DA[: decided + 1], other.action_DA[: decided + 1])
    assert np.array_equal(one.net_T[:days], other.net_T[:days])
    assert not np.array_equal(one.net_T[days:], other.net_T[days:])


@pytest.mark.parametrize("learner", [bandit_for, lambda _, seed: policy.ProximalLearner(seed=seed, config=QUICK)],
                         ids=["bandit", "ppo"])  # fmt: skip
def test_the_same_seed_walks_the_same_way(learner: Callable[..., Learner]) -> None:
    one, same = (walk(season(), learner(season(), seed=3), SCHEDULE) for _ in range(2))

    assert np.array_equal(one.action_DA, same.action_DA)
    assert np.array_equal(one.net_T, same.net_T)


def test_a_warm_up_without_anything_to_learn_from_is_refused() -> None:
    with pytest.raises(BadConfig, match="leave at least 26 decisions"):
        Schedule(warmup=20, every=10, embargo=5)
