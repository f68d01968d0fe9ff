"""A reinforcement-learned allocator: proximal policy optimization over a tournament's resolved rounds.

Shape suffixes: B rounds of a batch, L lanes, M models, T tokens. The policy is Gaussian: from what is known of every
model a network, shared by all models, says the mean of the score to act on; one learned deviation says how far lanes
stray from it. Lanes walk through the same rounds beside each other in `SelectionEnv`. A round's reward is credited to
the action that earned it, whenever it is paid, for nothing later depends on that action (a discount of zero); its
advantage is what the lane earned above the mean of the other lanes in that round, so the luck that all share cancels.
Source: Schulman et al. 2017, equation 7 (clipped ratio); Kool, van Hoof and Welling 2019 (leave-one-out baseline).

Supervised families are given the slope of the blend's corr; this one finds it by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from tournament.selectors.meta.environment import Course, Observation, SelectionEnv, course
from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Material, Objective, TrainingConfig, checked_corr, descend
from tournament.selectors.protocol import Budget
from tournament.selectors.tokens import SCALE, TOKENS

CONFIG = TrainingConfig(steps=60, learning_rate=1e-2, batch=24, check_every=20, patience=2)
CLIP_RATIO = 0.2
EPOCHS = 4
"""Gradient steps on the same rollouts."""
LANES = 4
SPAN = 12
"""Rounds that a lane walks through in a row; a batch of `config.batch` rounds has as many spans as fit."""
WIDTH = 16
DEVIATION = 0.5
"""Of actions at the start, in units of 1 / SCALE: a corr of 0.01."""


class Seen(Protocol):
    """What the policy reads of some rounds."""

    @property
    def token_BMT(self) -> Tensor:
        """What is known of each model."""

    @property
    def active_BM(self) -> Tensor:
        """Who submitted."""

    @property
    def copies_BM(self) -> Tensor:
        """How many models each stands for."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations of an environment as tensors."""

    token_BMT: Tensor
    active_BM: Tensor
    copies_BM: Tensor


class PolicyNetwork(nn.Module):
    """Mean action of each model: its known means and what a net sees in its tokens beside those of all others."""

    def __init__(self) -> None:
        super().__init__()
        self.known = KnownMeans()
        self.embed = nn.Sequential(nn.Linear(len(TOKENS), WIDTH), nn.Tanh())
        self.look = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.Tanh())
        self.head = nn.Linear(WIDTH, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.log_deviation = nn.Parameter(torch.tensor(DEVIATION).log())

    def forward(self, seen: Seen) -> Tensor:
        """Mean actions (B x M), in units of 1 / SCALE."""
        hidden = self.embed(seen.token_BMT)
        share_BM = seen.active_BM / seen.copies_BM
        pooled = (share_BM[..., None] * hidden).sum(1) / share_BM.sum(1, keepdim=True)
        beside = torch.cat([hidden, pooled[:, None].expand_as(hidden)], -1)
        return self.known(seen.token_BMT) + self.head(self.look(beside)).squeeze(-1)

    def actions(self, mean_BM: Tensor) -> Normal:
        """The law of actions around their means."""
        return Normal(mean_BM, self.log_deviation.exp())


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Rounds with what every lane did in them, how likely that was (log density), and what it brought above others."""

    rounds: Seen
    action_BLM: Tensor
    log_density_BL: Tensor
    reward_BL: Tensor

    @property
    def advantage_BL(self) -> Tensor:
        """Reward above the mean of the other lanes, in standard deviations of all."""
        lanes = self.reward_BL.shape[1]
        above = (self.reward_BL - self.reward_BL.mean(1, keepdim=True)) * lanes / (lanes - 1)
        return above / (above.std() + 1e-8)


def log_density(network: PolicyNetwork, rounds: Seen, action_BLM: Tensor) -> Tensor:
    """Log density of each lane's actions, summed over the active models (B x L)."""
    by_model = network.actions(network(rounds)[:, None]).log_prob(action_BLM)
    return (by_model * rounds.active_BM[:, None]).sum(-1)


def clipped_loss(network: nn.Module, rollouts: Rollouts, config: TrainingConfig) -> Tensor:
    """Minus the clipped surrogate: mean of min(ratio A, clip(ratio, 1 - e, 1 + e) A)."""
    ratio = (log_density(network, rollouts.rounds, rollouts.action_BLM) - rollouts.log_density_BL).exp()  # type: ignore[arg-type]
    advantage = rollouts.advantage_BL
    return -torch.minimum(ratio * advantage, ratio.clamp(1.0 - CLIP_RATIO, 1.0 + CLIP_RATIO) * advantage).mean()


Walk = Sequence[SelectionEnv]
"""Lanes of one span: seeded alike, they meet the same rounds."""


@torch.no_grad()
def roll(network: PolicyNetwork, walks: Sequence[Walk], generator: torch.Generator) -> Rollouts:
    """Lead all lanes of some walks through spans drawn anew, each action drawn by the policy."""
    size, lanes = len(walks[0]), [lane for walk in walks for lane in walk]
    seeds = torch.randint(2**31, (len(walks),), generator=generator).tolist()
    seen = [lane.reset(seed=seed)[0] for seed, walk in zip(seeds, walks, strict=True) for lane in walk]
    paid = [dict[int, float]() for _ in lanes]
    rows, actions, densities = list[int](), list[Tensor](), list[Tensor]()
    for _ in range(lanes[0].span):
        action, density = acted(network, seen, generator)
        rows += [walk[0].row for walk in walks]
        actions.append(action.unflatten(0, (len(walks), size)))
        densities.append(density.unflatten(0, (len(walks), size)))
        told = [lane.step(one) for lane, one in zip(lanes, (action / SCALE).cpu().numpy(), strict=True)]
        seen = [one[0] for one in told]
        for rewards, one in zip(paid, told, strict=True):
            rewards.update(one[4]["paid"])
    rounds = lanes[0].course.take(torch.tensor(rows)).to(str(actions[0].device))
    return Rollouts(rounds, torch.cat(actions), torch.cat(densities), _by_round(paid, rows, size).to(actions[0].device))


def _by_round(paid: Sequence[dict[int, float]], rows: Sequence[int], size: int) -> Tensor:
    """Rewards (B x L) of rows that walks (of `size` lanes each) met in turn, credited to the round that earned them."""
    walks = len(paid) // size
    lanes_B = [paid[place % walks * size :][:size] for place in range(len(rows))]
    return torch.tensor([[lane[row] for lane in lanes] for row, lanes in zip(rows, lanes_B, strict=True)])


def acted(network: PolicyNetwork, seen: Sequence[Observation], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """An action drawn for each observation (B x M, in units of 1 / SCALE) and its log density (B)."""
    rounds = observed(seen, network.log_deviation.device)
    law = network.actions(network(rounds))
    action = law.mean + law.stddev * torch.randn(law.mean.shape, generator=generator).to(law.mean.device)
    return action, (law.log_prob(action) * rounds.active_BM).sum(-1)


def observed(seen: Sequence[Observation], device: torch.device | str = "cpu") -> Observed:
    """Observations of environments with the same models, stacked."""
    tokens, active, copies = (
        torch.from_numpy(np.stack([one[name] for one in seen])).to(device) for name in ("tokens", "active", "copies")
    )
    return Observed(tokens, active > 0, copies)


def practise(
    network: nn.Module, tasks: Sequence[Material], config: TrainingConfig, budget: Budget, objective: Objective
) -> list[float]:
    """Gradient steps on rollouts by the policy itself, drawn anew after every `EPOCHS` steps; as `training.train`."""
    policy: PolicyNetwork = network  # type: ignore[assignment]
    practice = Practice(policy, [walks(task.to("cpu"), fit, config) for task, fit, _ in tasks])
    return descend(network, practice.draw, lambda: checked_corr(network, tasks, config), config, budget, objective)


def walks(task: Course, fit: Tensor, config: TrainingConfig) -> list[Walk]:
    """Walks of lanes over the rounds to fit on, as many as a batch has spans."""
    rows = fit.numpy()
    span = min(SPAN, len(rows))
    return [[SelectionEnv(task, rows, span=span) for _ in range(LANES)] for _ in range(max(1, config.batch // span))]


@dataclass
class Practice:
    """Rollouts of one task after another, each used for some steps."""

    network: PolicyNetwork
    tasks: Sequence[Sequence[Walk]]
    used: int = 0
    rollouts: Rollouts | None = None

    def draw(self, generator: torch.Generator) -> Rollouts:
        """The rollouts of the latest policy but a few steps."""
        if self.rollouts is None or self.used == EPOCHS:
            task = self.tasks[int(torch.randint(len(self.tasks), (1,), generator=generator))]
            self.rollouts, self.used = roll(self.network, task, generator), 0
        self.used += 1
        return self.rollouts


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("policy", PolicyNetwork, choose_device(device), CONFIG, course, clipped_loss, practise)
