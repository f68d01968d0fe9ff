"""The bandit: it finds what context tells, credits late rewards to their own decision, and is one with its seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tournament.portfolio.reinforcement.seasons import season
from tournament.portfolio.reinforcement.bandit import ThompsonBandit, bandit_for

ARMS = {"default": np.zeros(2), "up": np.array([1.0, 0.0]), "down": np.array([0.0, 1.0])}
LATE = 4


def effect(seen: np.ndarray) -> dict[str, float]:
    """Where the first number is high `up` pays, where it is low `down` does; the second tells nothing."""
    return {"default": 0.0, "up": 2.0 * seen[0], "down": -2.0 * seen[0]}


def played(bandit: ThompsonBandit, decisions: int, *, seed: int = 1) -> tuple[list[str], list[float]]:
    """Decisions whose rewards come four later, with noise of deviation two; the arms and what they were worth."""
    rng, due = np.random.default_rng(seed), dict[int, float]()
    arms, worth = [], []
    for place in range(decisions):
        seen = rng.normal(size=2).astype(np.float32)
        bandit.act(place, seen)
        arms.append(bandit.chosen(place))
        worth.append(effect(seen)[arms[-1]])
        due[place] = worth[-1] + 2.0 * rng.normal()
        if place >= LATE:
            bandit.told({place - LATE: due.pop(place - LATE)})
    return arms, worth


def test_it_learns_what_the_context_tells_although_rewards_come_late() -> None:
    bandit = ThompsonBandit(ARMS, seed=0)

    _, worth = played(bandit, 1500)

    best = 2.0 * np.sqrt(2.0 / np.pi)
    assert np.mean(worth[:50]) < 0.5 * best
    assert np.mean(worth[-300:]) > 0.85 * best
    assert 1.2 < bandit.expected_J(np.array([1.0, 0.0], dtype=np.float32))[1] < 2.2
    assert 1.2 < bandit.expected_J(np.array([-1.0, 0.0], dtype=np.float32))[2] < 2.2
    assert bandit.noise == pytest.approx(np.sqrt(4.0 + 4.0), rel=0.15)


def test_a_reward_meets_what_was_seen_at_its_own_decision_in_whatever_order_it_comes() -> None:
    early, late = (ThompsonBandit({"only": np.zeros(2)}, seed=0) for _ in range(2))
    seen = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    rewards = np.arange(6.0)

    for place in range(6):
        early.act(place, seen[place])
        early.told({place: rewards[place]})
        late.act(place, seen[place])
    late.told({place: rewards[place] for place in (5, 0, 3, 1, 4, 2)})

    assert late.expected_J(seen[0]) == pytest.approx(early.expected_J(seen[0]), rel=1e-12)
    assert early.expected_J(seen[0]) != 0.0


def test_nothing_is_known_of_a_reward_before_it_is_told() -> None:
    bandit, seen = ThompsonBandit(ARMS, seed=0), np.ones(2, dtype=np.float32)

    bandit.act(0, seen)
    before = bandit.expected_J(seen).copy()
    bandit.told({7: 100.0})
    unmoved = bandit.expected_J(seen).copy()
    bandit.told({0: 100.0})

    assert before.tolist() == unmoved.tolist() == [0.0, 0.0, 0.0]
    assert (bandit.expected_J(seen) != 0.0).sum() == 1


def test_choices_spread_while_rewards_are_outstanding() -> None:
    bandit, seen = ThompsonBandit(ARMS, seed=0), np.ones(2, dtype=np.float32)

    arms = set()
    for place in range(20):
        bandit.act(place, seen)
        arms.add(bandit.chosen(place))

    assert arms == set(ARMS)


def test_the_same_seed_makes_the_same_choices() -> None:
    one, same, other = (played(ThompsonBandit(ARMS, seed=seed), 60)[0] for seed in (0, 0, 1))

    assert one == same
    assert one != other


def test_it_practises_on_the_past_once() -> None:
    bandit, seen = bandit_for(season(), seed=0), np.zeros(22, dtype=np.float32)

    bandit.learn(season(), first=0, last=12)
    practised = bandit.expected_J(seen)
    bandit.learn(season(), first=0, last=30)

    assert (practised != 0.0).sum() > 3
    assert np.array_equal(bandit.expected_J(seen), practised)
