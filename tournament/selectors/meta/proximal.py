"""Proximal policy optimization, whatever is decided: lanes led beside each other, and the clipped surrogate.

Shape suffixes: B decisions of a batch (step by step, in each step walk by walk), L lanes, M numbers of an action. The
lanes of a walk are seeded alike and meet the same decisions; a reward is credited to the action that earned it,
whenever it is paid, and its advantage is what the lane earned above the mean of the others there, so the luck that all
share cancels. Source: Schulman et al. 2017, equation 7 (clipped ratio); Kool, van Hoof and Welling 2019 (leave-one-out
baseline).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CLIP_RATIO = 0.2
EPOCHS = 4
"""Gradient steps on the same rollouts."""


class Lane(Protocol):
    """An environment whose rewards come when they are known: `info["paid"]` tells them by row."""

    span: int

    @property
    def row(self) -> int:
        """What is to be decided next."""

    def reset(self, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """Go to the first decision of an episode, drawn by the seed."""

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Decide and go on."""


Act = Callable[[Sequence[Any]], tuple[Tensor, Tensor, NDArray[np.float32]]]
"""From what some lanes see to an action drawn for each, its log density, and the action as environments take it."""


@dataclass(frozen=True, slots=True)
class Led:
    """What lanes met, saw, did and were paid."""

    rows: list[int]
    """Of the first lane of every walk (B)."""
    seen: list[Sequence[Any]]
    """By step, of all lanes of all walks."""
    action_BLM: Tensor
    log_density_BL: Tensor
    reward_BL: Tensor


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Rounds with what every lane did in them, how likely that was (log density), and what it brought above others."""

    rounds: Any
    action_BLM: Tensor
    log_density_BL: Tensor
    reward_BL: Tensor

    @property
    def advantage_BL(self) -> Tensor:
        """Reward above the mean of the other lanes, in standard deviations of all."""
        lanes = self.reward_BL.shape[1]
        above = (self.reward_BL - self.reward_BL.mean(1, keepdim=True)) * lanes / (lanes - 1)
        return above / (above.std() + 1e-8)


def clipped_surrogate(log_density_BL: Tensor, rollouts: Rollouts) -> Tensor:
    """Mean of min(ratio A, clip(ratio, 1 - e, 1 + e) A), given the densities of the same actions today."""
    ratio = (log_density_BL - rollouts.log_density_BL).exp()
    advantage = rollouts.advantage_BL
    return torch.minimum(ratio * advantage, ratio.clamp(1.0 - CLIP_RATIO, 1.0 + CLIP_RATIO) * advantage).mean()


@torch.no_grad()
def lead(walks: Sequence[Sequence[Lane]], act: Act, generator: torch.Generator) -> Led:
    """Lead all lanes of some walks through spans drawn anew."""
    size, lanes = len(walks[0]), [lane for walk in walks for lane in walk]
    seeds = torch.randint(2**31, (len(walks),), generator=generator).tolist()
    seen = [lane.reset(seed=seed)[0] for seed, walk in zip(seeds, walks, strict=True) for lane in walk]
    paid = [dict[int, float]() for _ in lanes]
    rows, saw, actions, densities = list[int](), list[Sequence[Any]](), list[Tensor](), list[Tensor]()
    for _ in range(lanes[0].span):
        action, density, done = act(seen)
        rows += [walk[0].row for walk in walks]
        saw.append(seen)
        actions.append(action.unflatten(0, (len(walks), size)))
        densities.append(density.unflatten(0, (len(walks), size)))
        told = [lane.step(one) for lane, one in zip(lanes, done, strict=True)]
        seen = [one[0] for one in told]
        for rewards, one in zip(paid, told, strict=True):
            rewards.update(one[4]["paid"])
    reward_BL = _by_row(paid, rows, size).to(actions[0].device)
    return Led(rows, saw, torch.cat(actions), torch.cat(densities), reward_BL)


def _by_row(paid: Sequence[dict[int, float]], rows: Sequence[int], size: int) -> Tensor:
    """Rewards (B x L) of rows that walks (of `size` lanes each) met in turn, credited to the row that earned them."""
    walks = len(paid) // size
    lanes_B = [paid[place % walks * size :][:size] for place in range(len(rows))]
    return torch.tensor([[lane[row] for lane in lanes] for row, lanes in zip(rows, lanes_B, strict=True)])


def to_go(reward_BL: Tensor, *, walks: int, discount: float) -> Tensor:
    """Each decision's reward and the discounted ones of those that follow it in its walk (B x L)."""
    by_step = list(reward_BL.unflatten(0, (-1, walks)))
    for step in range(len(by_step) - 2, -1, -1):
        by_step[step] = by_step[step] + discount * by_step[step + 1]
    return torch.cat(by_step)


@dataclass
class Practice:
    """Rollouts of one task after another, each used for some steps."""

    roll: Callable[[Any, torch.Generator], Rollouts]
    """Leads the walks of one task by the latest policy."""
    tasks: Sequence[Any]
    used: int = 0
    rollouts: Rollouts | None = None

    def draw(self, generator: torch.Generator) -> Rollouts:
        """The rollouts of the latest policy but a few steps."""
        if self.rollouts is None or self.used == EPOCHS:
            task = self.tasks[int(torch.randint(len(self.tasks), (1,), generator=generator))]
            self.rollouts, self.used = self.roll(task, generator), 0
        self.used += 1
        return self.rollouts
