"""The policy: it begins as the allocator, learns an easy world, and is trained to the same bits by the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from tests.tournament.portfolio.reinforcement.seasons import season
from tournament.errors import BadInput
from tournament.portfolio.reinforcement import policy
from tournament.portfolio.reinforcement.environment import AllocationEnv, common_columns
from tournament.selectors.meta.proximal import to_go

QUICK = replace(policy.CONFIG, steps=4, check_every=4)
WANTED = np.array([0.6, -0.4])


class Easy(gymnasium.Env[np.ndarray, np.ndarray]):
    """Where the first number seen is 1, WANTED is best, where it is -1, its opposite; paid two steps later."""

    span = 10

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-4.0, 4.0, (3,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.row = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.row, self.waiting = 0, dict[int, float]()
        return self._look(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        luck = 3.0 * self.np_random.normal()  # the same for all lanes of a walk
        self.waiting[self.row] = luck - float(((np.clip(action, -1, 1) - self.side * WANTED) ** 2).sum())
        self.row += 1
        over = self.row == self.span
        paid = {row: self.waiting.pop(row) for row in list(self.waiting) if over or row <= self.row - 2}
        return self._look(), sum(paid.values()), over, False, {"paid": paid}

    def _look(self) -> np.ndarray:
        self.side = float(self.np_random.choice([-1.0, 1.0]))
        return np.array([4.0 * self.side, *self.np_random.normal(size=2)], dtype=np.float32)


def distance(network: policy.AllocationPolicy) -> float:
    """Of the mean actions from the best ones."""
    looks = np.array([[4.0, 0.0, 0.0], [-4.0, 0.0, 0.0]], dtype=np.float32)
    return float(np.mean([np.abs(policy.acted(network, one) - np.sign(one[0]) * WANTED).max() for one in looks]))


def trained(seed: int = 0, *, steps: int = 100, check: Callable[[], float] | None = None) -> policy.AllocationPolicy:
    network = policy.fresh(3, 2, seed=seed)
    config = replace(policy.CONFIG, steps=steps, check_every=20, patience=20)
    policy.train(network, [Easy], check or (lambda: -distance(network)), config, seed=seed)
    return network


def test_it_begins_as_the_allocator_at_its_defaults() -> None:
    seen = np.random.default_rng(0).normal(size=3).astype(np.float32)

    assert policy.acted(policy.fresh(3, 2, seed=4), seen).tolist() == [0.0, 0.0]


def test_it_learns_what_an_easy_world_wants_although_rewards_come_late_and_luck_is_larger() -> None:
    network = policy.fresh(3, 2, seed=0)

    assert distance(network) == pytest.approx(0.6)
    assert distance(trained()) < 0.2


def test_the_state_that_checked_best_is_kept_the_beginning_too() -> None:
    begun, looks = policy.fresh(3, 2, seed=0), iter([1.0, *[0.0] * 20])

    network = trained(steps=40, check=lambda: next(looks))

    assert all(torch.equal(a, b) for a, b in zip(begun.parameters(), network.parameters(), strict=True))


def test_the_same_seed_trains_the_same_bits() -> None:
    one, same, other = (list(trained(seed, steps=20).parameters()) for seed in (0, 0, 1))

    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_rewards_to_go_fade_within_each_walk() -> None:
    reward_BL = torch.tensor([[1.0, 10.0], [100.0, 0.0], [2.0, 20.0], [0.0, 8.0]])  # two steps of two walks

    got = to_go(reward_BL, walks=2, discount=0.5)

    assert got.tolist() == [[2.0, 20.0], [100.0, 4.0], [2.0, 20.0], [0.0, 8.0]]


def test_rollouts_hold_what_each_lane_saw_did_and_earned() -> None:
    network = policy.fresh(22, 6, seed=0)
    walks = policy.walks(partial(AllocationEnv, season(), first=5, last=30, span=4), 8)

    found = policy.roll(network, walks, torch.Generator().manual_seed(3))

    assert found.rounds.shape == (8, policy.LANES, 22)
    assert found.action_BLM.shape == (8, policy.LANES, 6)
    assert found.reward_BL.isfinite().all()
    densities = network.law(found.rounds).log_prob(found.action_BLM).sum(-1)
    assert torch.allclose(densities, found.log_density_BL, atol=1e-5)
    assert torch.equal(found.rounds[:2, 0], found.rounds[:2, 1])  # at first all hold the same
    assert not torch.equal(found.rounds[2:, 0], found.rounds[2:, 1])


def test_a_schooled_policy_reads_only_what_all_seasons_share() -> None:
    columns = common_columns(season())
    school = policy.SchooledLearner.of([season()], [season()], seed=0, config=QUICK)
    seen = np.random.default_rng(0).normal(size=columns + 2).astype(np.float32)
    other = seen.copy()
    other[columns:] = 4.0

    assert school.act(0, seen).tolist() == school.act(0, other).tolist()


def test_a_learner_that_learned_nothing_is_not_asked() -> None:
    with pytest.raises(BadInput, match="call learn first"):
        policy.ProximalLearner(seed=0).act(0, np.zeros(3, dtype=np.float32))
