"""Reptile over rounds: parameters drawn to where a few steps on each task's rounds lead, without second derivatives.

Source: Nichol, Achiam and Schulman 2018, algorithm 2: theta <- theta + eps (theta_k - theta). A task's rounds are its
support and its query alike: Reptile knows no split of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tournament.errors import BadConfig, Fault
from tournament.gradient_learning import Inner, reptile_direction, towards
from tournament.selectors.meta.adaptation import Adapting, GradientLearner, Rounds, Tasks, adaptation_tasks, as_rounds
from tournament.selectors.meta.neural import choose_device
from tournament.selectors.meta.training import Episodes, Rule, TrainingConfig

CONFIG = TrainingConfig(steps=60, learning_rate=0.5, batch=8, check_every=20, patience=1, rule=Rule.PLAIN)
INNER = Inner(steps=3, rate=0.1)


def displacement(network: nn.Module, tasks: Episodes, config: TrainingConfig) -> Tensor:
    """A loss whose gradient is theta - theta_k, so that a plain step of rate eps is Reptile's."""
    if not isinstance(network, Adapting) or not isinstance(tasks, Tasks):
        raise BadConfig(Fault("reptile", f"Reptile learns an adapting network on tasks, not {type(network).__name__}"))
    parameters = network.parameters_by_name()
    direction = reptile_direction(network.loss(), parameters, with_query(tasks), network.inner)
    return towards(parameters, direction)


def with_query(tasks: Tasks) -> Rounds:
    """Support rounds of each task and, last, its query (B x (S + 1) x ...)."""
    queries = as_rounds(tasks)
    return Rounds(
        *(torch.cat([support, query[:, None]], 1) for support, query in zip(tasks.supports(), queries, strict=True))
    )


def build(device: str, inner: Inner = INNER) -> GradientLearner:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return GradientLearner(
        "reptile", lambda: Adapting(inner), choose_device(device), CONFIG, adaptation_tasks, displacement
    )
