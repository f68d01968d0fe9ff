"""Proximal policy optimization over the allocation environment: a Gaussian policy that begins at the allocator.

Shape suffixes: B decisions of a batch, L lanes, O numbers that are seen, A numbers of an action. The lanes of a walk
meet the same market and differ in the books they hold. An action is credited with its own book's reward and, fading,
with those of the books that follow: what it traded costs at once and is held on. The optimizer, the stopping and the
state that is kept are those of all neural families; the state before any step, the allocator at its defaults, is one of
those that are checked on newer decisions, and it is kept unless learning helped there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Normal

from tournament.errors import BadInput
from tournament.portfolio.reinforcement.environment import AllocationEnv, Seen, common_columns
from tournament.portfolio.reinforcement.season import CLIP, Season
from tournament.portfolio.risk import Floats
from tournament.selectors.meta.proximal import Lane, Practice, Rollouts, clipped_surrogate, lead, to_go
from tournament.selectors.meta.training import TrainingConfig, descend
from tournament.selectors.protocol import Budget

CONFIG = TrainingConfig(steps=100, learning_rate=1e-2, batch=24, check_every=20, patience=3, validation_share=0.3)
SCHOOL = TrainingConfig(steps=240, learning_rate=1e-2, batch=24, check_every=40, patience=4)
LANES, SPAN = 4, 12
WIDTH = 16
DEVIATION = 0.4
"""Of actions at the start; their range is from -1 to 1."""
DISCOUNT = 0.5
"""What a reward counts for the action before: most of a book is held on for some weeks, then the luck is others'."""


class AllocationPolicy(nn.Module):
    """The mean action, from the first `seen` of the numbers that are seen; zeros at first."""

    def __init__(self, seen: int, actions: int) -> None:
        super().__init__()
        self.seen = seen
        self.look = nn.Sequential(nn.Linear(seen, WIDTH), nn.Tanh())
        self.head = nn.Linear(WIDTH, actions)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.log_deviation = nn.Parameter(torch.full((actions,), float(np.log(DEVIATION))))

    def forward(self, seen_O: Tensor) -> Tensor:
        """Mean actions (... x A)."""
        out: Tensor = self.head(self.look(seen_O[..., : self.seen] / CLIP))
        return out

    def law(self, seen_O: Tensor) -> Normal:
        """The law of actions."""
        return Normal(self(seen_O), self.log_deviation.exp())


def fresh(seen: int, actions: int, *, seed: int) -> AllocationPolicy:
    """A network that knows nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AllocationPolicy(seen, actions)


def clipped_loss(network: nn.Module, rollouts: Rollouts, config: TrainingConfig) -> Tensor:
    """Minus the clipped surrogate of the network's densities."""
    law: Normal = network.law(rollouts.rounds)  # type: ignore[operator]
    return -clipped_surrogate(law.log_prob(rollouts.action_BLM).sum(-1), rollouts)


def roll(network: AllocationPolicy, walks: Sequence[Sequence[Lane]], generator: torch.Generator) -> Rollouts:
    """Lead all lanes of some walks through spans drawn anew, each action drawn by the policy."""

    def act(seen: Sequence[Seen]) -> tuple[Tensor, Tensor, NDArray[np.float32]]:
        law = network.law(torch.from_numpy(np.stack(seen)))
        action = law.mean + law.stddev * torch.randn(law.mean.shape, generator=generator)
        return action, law.log_prob(action).sum(-1), action.numpy()

    led = lead(walks, act, generator)
    seen_BLO = np.stack([np.stack(seen) for seen in led.seen]).reshape(*led.reward_BL.shape, -1)
    reward_BL = to_go(led.reward_BL, walks=len(walks), discount=DISCOUNT)
    return Rollouts(torch.from_numpy(seen_BLO), led.action_BLM, led.log_density_BL, reward_BL)


Begin = Callable[[], Lane]
"""Makes one more lane of a task."""


def train(
    network: AllocationPolicy, tasks: Sequence[Begin], check: Callable[[], float], config: TrainingConfig, *, seed: int
) -> list[float]:
    """Gradient steps on rollouts by the policy itself; the state that checked best is kept. Returns the checks."""
    practice = Practice(partial(roll, network), [walks(begin, config.batch) for begin in tasks])
    return descend(network, practice.draw, check, config, Budget(seed=seed), clipped_loss)


def walks(begin: Begin, batch: int) -> list[list[Lane]]:
    """Walks of lanes, as many as a batch has spans."""
    first = [begin() for _ in range(LANES)]
    return [first, *([begin() for _ in range(LANES)] for _ in range(batch // first[0].span - 1))]


class ProximalLearner:
    """Trained anew on the whole past at each learning; acts by the mean action."""

    name = "ppo"

    def __init__(self, *, seed: int, config: TrainingConfig = CONFIG) -> None:
        self.seed, self.config = seed, config
        self.network: AllocationPolicy | None = None
        self.gains = list[list[float]]()
        """Of every learning, the mean reward of the checked decisions as it went on."""

    def learn(self, season: Season, *, first: int, last: int) -> None:
        """Fit on the older decisions, check on the newer ones; between them, as many left out as a target spans."""
        split = last - max(2, int(self.config.validation_share * (last - first)))
        fitted = max(first + 2, split - season.horizon_decisions)
        newer = AllocationEnv(season, first=split, last=last)
        self.network = fresh(newer.seen, newer.actions, seed=self.seed)
        begin = partial(AllocationEnv, season, first=first, last=fitted, span=min(SPAN, fitted - first))
        check = partial(mean_reward, self.network, newer)
        self.gains.append(train(self.network, [begin], check, self.config, seed=self.seed))

    def act(self, place: int, seen: Seen) -> Floats:
        """The mean action. Raises BadInput before any learning."""
        if self.network is None:
            raise BadInput("this learner has learned nothing yet; call learn first")
        return acted(self.network, seen)

    def told(self, paid: Mapping[int, float]) -> None:
        """Rewards are read in the next learning."""


class SchooledLearner:
    """Trained once on other seasons, of which it reads the columns that all share; never on the one it acts in."""

    name = "ppo, schooled"

    def __init__(self, network: AllocationPolicy) -> None:
        self.network = network

    @classmethod
    def of(
        cls, seasons: Sequence[Season], checked: Sequence[Season], *, seed: int, config: TrainingConfig = SCHOOL
    ) -> SchooledLearner:
        """Practise in some seasons, stop by others."""
        lanes = [AllocationEnv(season) for season in checked]
        network = fresh(common_columns(seasons[0]), lanes[0].actions, seed=seed)

        def check() -> float:
            return float(np.mean([mean_reward(network, lane) for lane in lanes]))

        train(network, [partial(AllocationEnv, season, span=SPAN) for season in seasons], check, config, seed=seed)
        return cls(network)

    def learn(self, season: Season, *, first: int, last: int) -> None:
        """Nothing is learned of the season itself."""

    def act(self, place: int, seen: Seen) -> Floats:
        """The mean action."""
        return acted(self.network, seen)

    def told(self, paid: Mapping[int, float]) -> None:
        """Nothing is learned of the season itself."""


@torch.no_grad()
def acted(network: AllocationPolicy, seen: Seen) -> Floats:
    """The mean action (A)."""
    return np.clip(network(torch.from_numpy(seen)).numpy().astype(float), -1.0, 1.0)


def mean_reward(network: AllocationPolicy, env: Lane) -> float:
    """Mean reward a decision over one episode by the mean action."""
    seen, over, total, count = env.reset()[0], False, 0.0, 0
    while not over:
        seen, reward, over, _, _ = env.step(acted(network, seen).astype(np.float32))
        total, count = total + reward, count + 1
    return total / count
