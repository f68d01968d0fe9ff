"""A tournament as an environment: what is seen was known at the opening, what is paid has resolved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.tournament.histories import history, permuted, with_other_future
from tournament.errors import BadConfig, BadInput
from tournament.selectors.allocator import best_blend, surrogate_corr
from tournament.selectors.baselines import STACK_RIDGE
from tournament.selectors.meta.environment import SelectionEnv, course
from tournament.selectors.protocol import History
from tournament.selectors.weather import beliefs_in_training, fit_weather

ROUNDS = 60


def env(past: History, **options: int) -> SelectionEnv:
    beliefs = beliefs_in_training(fit_weather(past, seed=0), past, past.resolved_rows())
    return SelectionEnv(course(past, beliefs), **options)


def actions(rounds: int = ROUNDS, models: int = 8) -> np.ndarray:
    return np.random.default_rng(5).normal(0.02, 0.02, (rounds, models)).astype(np.float32)


def sailed(one: SelectionEnv, acts: np.ndarray) -> tuple[list, list, list]:
    """Observations, rewards and payments by step of a whole course."""
    seen, rewards, paid = [one.reset(seed=0)[0]], [], []
    for action in acts:
        observation, reward, *_, info = one.step(action)
        seen.append(observation)
        rewards.append(reward)
        paid.append(info["paid"])
    return seen, rewards, paid


def test_it_is_an_environment_by_gymnasium_s_own_check() -> None:
    check_env(env(history(ROUNDS), span=6), skip_render_check=True)


def test_a_round_is_paid_when_it_resolves_and_the_last_step_waits_for_all() -> None:
    _, rewards, paid = sailed(env(history(ROUNDS)), actions())

    assert rewards[:4] == [0.0] * 4  # rounds resolve five weeks later
    assert [list(one) for one in paid[4:-1]] == [[row] for row in range(ROUNDS - 5)]
    assert list(paid[-1]) == list(range(ROUNDS - 5, ROUNDS))
    assert rewards == pytest.approx([sum(one.values()) for one in paid])


def test_a_reward_is_the_corr_of_the_allocator_s_blend_less_that_of_equal_weight() -> None:
    past, acts = history(ROUNDS), actions()
    correlations = past.correlations_RMM[7].astype(float)
    weights = best_blend(acts[7].astype(float), correlations, past.active_RM[7], ridge=STACK_RIDGE)
    corrs = [surrogate_corr(one, past.scores_RM[7], correlations) for one in (weights, np.full(8, 1 / 8))]

    _, _, paid = sailed(env(past), acts)

    assert paid[11][7] == pytest.approx(corrs[0] - corrs[1], abs=1e-7)


def test_scores_that_come_later_change_nothing_that_was_seen_or_paid() -> None:
    past, row = history(ROUNDS), 30
    other = replace(past, scores_RM=with_other_future(past, row).scores_RM)

    before, after = (sailed(env(one), actions()) for one in (past, other))

    for place in range(row + 1):
        assert all(np.array_equal(before[0][place][name], after[0][place][name]) for name in before[0][place])
    assert before[1][:row] == after[1][:row]
    assert before[1][row:] != after[1][row:]
    assert not np.array_equal(before[0][row + 1]["tokens"], after[0][row + 1]["tokens"])


def test_what_is_done_moves_no_market() -> None:
    one = env(history(ROUNDS))

    seen = [sailed(one, acts)[0] for acts in (actions(), -actions())]

    assert all(np.array_equal(a["tokens"], b["tokens"]) for a, b in zip(*seen, strict=True))


def test_the_order_of_the_models_does_not_matter() -> None:
    past, order = history(ROUNDS), np.random.default_rng(4).permutation(8)

    straight, turned = sailed(env(past), actions()), sailed(env(permuted(past, order)), actions()[:, order])

    assert turned[1] == pytest.approx(straight[1], abs=1e-6)
    assert turned[0][20]["tokens"] == pytest.approx(straight[0][20]["tokens"][order], abs=1e-4)


def test_a_model_that_did_not_submit_gets_no_weight_whatever_is_said_of_it() -> None:
    past = history(ROUNDS)
    past.active_RM[:, 2] = False
    past.scores_RM[:, 2] = np.nan
    praised = actions()
    praised[:, 2] = 1.0

    assert sailed(env(past), praised)[1] == sailed(env(past), actions())[1]


def test_an_episode_starts_at_a_place_drawn_by_its_seed() -> None:
    one = env(history(ROUNDS), span=6)

    starts = [one.reset(seed=seed)[1]["row"] for seed in (1, 1, 2, 3, 4)]

    assert starts[0] == starts[1]
    assert len(set(starts)) > 2
    assert max(starts) <= ROUNDS - 6


def test_more_rounds_than_there_are_are_refused() -> None:
    with pytest.raises(BadConfig, match="episodes of 61 rounds from 60 resolved ones"):
        env(history(ROUNDS), span=61)


def test_a_step_after_the_end_is_refused() -> None:
    one = env(history(ROUNDS), span=1)
    one.reset(seed=0)
    one.step(actions()[0])

    with pytest.raises(BadInput, match="the episode has ended"):
        one.step(actions()[0])
