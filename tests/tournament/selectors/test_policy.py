"""The policy family is proximal policy optimization: clipped ratios, a baseline of other lanes, returns that rise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tournament.selectors.meta import policy
from tournament.selectors.meta.environment import Course, SelectionEnv
from tournament.selectors.meta.policy import Observed, PolicyNetwork, Rollouts
from tournament.selectors.meta.training import TrainingConfig
from tournament.selectors.protocol import Budget
from tournament.selectors.tokens import MEANS, SCALE, TOKENS

MODELS, WEEK, DELAY = 6, 7 * 86_400, 5


def skill_told_by_one_token(rounds: int, seed: int = 0) -> Course:
    """Rounds whose models are good where one token is high; the known means, which a policy starts from, are zeros."""
    rng = np.random.default_rng(seed)
    tokens = np.zeros((rounds, MODELS, len(TOKENS)), dtype=np.float32)
    tokens[..., MEANS:] = rng.normal(size=(rounds, MODELS, len(TOKENS) - MEANS))
    scores = 0.03 * tokens[..., MEANS] + rng.normal(0.0, 0.05, (rounds, MODELS))
    nothing = torch.zeros(rounds, 1)
    opens = torch.arange(rounds) * WEEK
    return Course(
        torch.from_numpy(tokens), torch.ones(rounds, MODELS, dtype=torch.bool),
        torch.from_numpy(scores.astype(np.float32)) * SCALE, torch.eye(MODELS).expand(rounds, -1, -1),
        torch.ones(rounds, MODELS), torch.zeros(rounds, 1, MODELS), torch.zeros(rounds, 1, MODELS), nothing, nothing,
        nothing[..., None], nothing, nothing[..., None], nothing, opens, opens + DELAY * WEEK,
    )  # fmt: skip


def returns(network: PolicyNetwork, course: Course, rows: np.ndarray) -> np.ndarray:
    """Reward of each round by the mean action."""
    env, paid = SelectionEnv(course, rows), dict[int, float]()
    seen, over = env.reset(seed=0)[0], False
    while not over:
        with torch.no_grad():
            action = network(policy.observed([seen]))[0].numpy() / SCALE
        seen, _, over, _, info = env.step(action)
        paid.update(info["paid"])
    return np.array([paid[row] for row in rows])


def rollouts(network: PolicyNetwork, moved: float = 0.0, seed: int = 0) -> Rollouts:
    """Four rounds, three lanes; the densities are those of a policy `moved` away from the network's."""
    generator = torch.Generator().manual_seed(seed)
    rounds = skill_told_by_one_token(4).take(torch.arange(4))
    action = network(rounds).detach()[:, None] + 0.5 * torch.randn(4, 3, MODELS, generator=generator)
    density = policy.log_density(network, rounds, action).detach()
    return Rollouts(rounds, action, density - moved * torch.randn(4, 3, generator=generator),
                    torch.randn(4, 3, generator=generator))  # fmt: skip


def test_the_return_rises_with_training_above_equal_weight_by_more_than_noise() -> None:
    torch.manual_seed(0)
    course, network, fresh = skill_told_by_one_token(300), PolicyNetwork(), np.arange(200, 300)
    before = returns(network, course, fresh)
    task = (course, torch.arange(150), torch.arange(155, 200))

    gains = policy.practise(network, [task], policy.CONFIG, Budget(), policy.clipped_loss)

    rise = returns(network, course, fresh) - before
    assert before == pytest.approx(0.0, abs=1e-9)  # knowing nothing it weighs all alike
    assert rise.mean() > 3 * rise.std() / math.sqrt(len(rise))
    assert rise.mean() > 0.01
    assert max(gains) > gains[0]


def test_the_loss_is_the_clipped_surrogate_in_numpy_too() -> None:
    network = PolicyNetwork()
    batch = rollouts(network, moved=0.4)
    ratio = np.exp(
        policy.log_density(network, batch.rounds, batch.action_BLM).detach().numpy() - batch.log_density_BL.numpy()
    )
    advantage = batch.advantage_BL.numpy()

    loss = policy.clipped_loss(network, batch, TrainingConfig())

    assert (np.abs(ratio - 1.0) > 0.2).any()
    assert loss.item() == pytest.approx(
        -np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage).mean(), rel=1e-5
    )


def test_on_its_own_rollouts_its_gradient_is_that_of_log_density_times_advantage() -> None:
    network = PolicyNetwork()
    batch = rollouts(network)

    policy.clipped_loss(network, batch, TrainingConfig()).backward()
    clipped = {name: values.grad.clone() for name, values in network.named_parameters()}
    network.zero_grad()
    density = policy.log_density(network, batch.rounds, batch.action_BLM)
    (-(density * batch.advantage_BL).mean()).backward()

    for name, values in network.named_parameters():
        assert torch.allclose(clipped[name], values.grad, atol=1e-6)
    assert clipped["head.weight"].abs().sum() > 0


@pytest.mark.parametrize(("ratio", "advantage", "moves"), [
    (1.5, 1.0, False), (0.5, -1.0, False), (1.5, -1.0, True), (0.5, 1.0, True), (1.1, 1.0, True), (0.9, -1.0, True),
])  # fmt: skip
def test_an_action_already_far_likelier_or_rarer_than_it_was_is_pushed_no_further(
    ratio: float, advantage: float, moves: bool
) -> None:
    network = PolicyNetwork()
    batch = rollouts(network)
    reward = torch.zeros(1, 2)
    reward[0, 0] = advantage
    density = policy.log_density(network, batch.rounds, batch.action_BLM).detach()[:1, :2]
    old = density - torch.tensor([[math.log(ratio), 0.0]])
    one = Rollouts(batch.rounds.take(torch.arange(1)), batch.action_BLM[:1, :2], old, reward)

    policy.clipped_loss(network, one, TrainingConfig()).backward()
    both = network.head.weight.grad.clone()
    network.zero_grad()
    second = policy.log_density(network, one.rounds, one.action_BLM)[0, 1]
    (-second * one.advantage_BL[0, 1] / 2).backward()  # the other lane, at ratio one, always counts

    assert torch.allclose(both, network.head.weight.grad, atol=1e-7) is not moves


def test_an_advantage_is_the_reward_above_the_mean_of_the_other_lanes() -> None:
    batch = replace(rollouts(PolicyNetwork()), reward_BL=torch.tensor([[0.3, 0.1, 0.2], [1.0, 1.0, 1.0]]))

    above = torch.tensor([[0.15, -0.15, 0.0], [0.0, 0.0, 0.0]])

    assert torch.allclose(batch.advantage_BL, above / above.std(), atol=1e-4)


def test_what_all_lanes_earn_alike_counts_nothing() -> None:
    batch = rollouts(PolicyNetwork())
    luck = torch.tensor([[5.0], [-3.0], [0.0], [9.0]])

    lucky = replace(batch, reward_BL=batch.reward_BL + luck)

    assert torch.allclose(lucky.advantage_BL, batch.advantage_BL, atol=1e-5)


def test_lanes_of_a_walk_meet_the_same_rounds_and_their_rewards_go_to_the_round_that_earned_them() -> None:
    course, network = skill_told_by_one_token(60), PolicyNetwork()
    walks = policy.walks(course, torch.arange(10, 60), replace(policy.CONFIG, batch=24))

    found = policy.roll(network, walks, torch.Generator().manual_seed(3))

    assert found.reward_BL.shape == (24, policy.LANES)
    replayed = SelectionEnv(course)
    for place in (0, 7, 23):
        row = int((course.token_BMT == found.rounds.token_BMT[place]).all((1, 2)).nonzero())
        expected = replayed.reward(row, replayed.weights(row, found.action_BLM[place, 2].double().numpy() / SCALE))
        assert found.reward_BL[place, 2].item() == pytest.approx(expected, abs=1e-6)


def test_models_that_did_not_submit_count_nothing_in_the_density() -> None:
    network, rounds = PolicyNetwork(), skill_told_by_one_token(2)
    active = torch.ones(2, MODELS, dtype=torch.bool)
    active[:, 3] = False
    seen = Observed(rounds.token_BMT, active, rounds.copies_BM)
    action = torch.zeros(2, 1, MODELS)
    wild = action.clone()
    wild[..., 3] = 40.0

    assert torch.equal(policy.log_density(network, seen, action), policy.log_density(network, seen, wild))
    assert torch.equal(network(seen)[:, :3], network(replace(seen, token_BMT=_with_other_tokens(seen, 3)))[:, :3])


def _with_other_tokens(seen: Observed, model: int) -> torch.Tensor:
    tokens = seen.token_BMT.clone()
    tokens[:, model] = 9.0
    return tokens
