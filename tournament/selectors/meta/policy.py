"""A reinforcement-learned allocator: proximal policy optimization over a tournament's resolved rounds.

Shape suffixes: B rounds of a batch, L lanes, M models, T tokens. The policy is Gaussian: from what is known of every
model a network, shared by all models, says the mean of the score to act on; one learned deviation says how far lanes
stray from it. Lanes walk through the same rounds beside each other in `SelectionEnv`. A round's reward is credited to
the action that earned it, whenever it is paid, for nothing later depends on that action (a discount of zero).

Supervised families are given the slope of the blend's corr; this one finds it by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Normal

from tournament.selectors.meta.environment import Course, Observation, SelectionEnv, course
from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.proximal import Practice, Rollouts, clipped_surrogate, lead
from tournament.selectors.meta.training import Material, Objective, TrainingConfig, checked_corr, descend
from tournament.selectors.protocol import Budget
from tournament.selectors.tokens import SCALE, TOKENS

CONFIG = TrainingConfig(steps=60, learning_rate=1e-2, batch=24, check_every=20, patience=2)
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


def log_density(network: PolicyNetwork, rounds: Seen, action_BLM: Tensor) -> Tensor:
    """Log density of each lane's actions, summed over the active models (B x L)."""
    by_model = network.actions(network(rounds)[:, None]).log_prob(action_BLM)
    return (by_model * rounds.active_BM[:, None]).sum(-1)


def clipped_loss(network: nn.Module, rollouts: Rollouts, config: TrainingConfig) -> Tensor:
    """Minus the clipped surrogate of the network's densities."""
    return -clipped_surrogate(log_density(network, rollouts.rounds, rollouts.action_BLM), rollouts)  # type: ignore[arg-type]


Walk = Sequence[SelectionEnv]
"""Lanes of one span: seeded alike, they meet the same rounds."""


def roll(network: PolicyNetwork, walks: Sequence[Walk], generator: torch.Generator) -> Rollouts:
    """Lead all lanes of some walks through spans drawn anew, each action drawn by the policy."""

    def act(seen: Sequence[Observation]) -> tuple[Tensor, Tensor, NDArray[np.float32]]:
        action, density = acted(network, seen, generator)
        return action, density, (action / SCALE).cpu().numpy()

    led = lead(walks, act, generator)
    rounds = walks[0][0].course.take(torch.tensor(led.rows)).to(str(led.action_BLM.device))
    return Rollouts(rounds, led.action_BLM, led.log_density_BL, led.reward_BL)


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
    practice = Practice(partial(roll, policy), [walks(task.to("cpu"), fit, config) for task, fit, _ in tasks])
    return descend(network, practice.draw, lambda: checked_corr(network, tasks, config), config, budget, objective)


def walks(task: Course, fit: Tensor, config: TrainingConfig) -> list[Walk]:
    """Walks of lanes over the rounds to fit on, as many as a batch has spans."""
    rows = fit.numpy()
    span = min(SPAN, len(rows))
    return [[SelectionEnv(task, rows, span=span) for _ in range(LANES)] for _ in range(max(1, config.batch // span))]


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("policy", PolicyNetwork, choose_device(device), CONFIG, course, clipped_loss, practise)
