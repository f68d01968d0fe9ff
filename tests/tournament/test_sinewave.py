"""MAML and Reptile on the task they were published with: sinewaves of unseen amplitude and phase from ten points.

Shape suffixes: B tasks, K points. Source: Finn et al. 2017, section 5.1; Nichol et al. 2018, section 6.1.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.func import vmap

from tournament.gradient_learning import (
    Inner,
    Parameters,
    adapted_each,
    meta_gradient,
    reptile_direction,
    reptile_step,
)

SHOTS, BATCH, WIDTH = 10, 25, 40
UNSEEN = 1_000


def sinewaves(tasks: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Amplitude (0.1 to 5) and phase (0 to pi) of each task (B x 1 x 1)."""
    amplitude_B11 = torch.rand(tasks, 1, 1, generator=generator) * 4.9 + 0.1
    return amplitude_B11, torch.rand(tasks, 1, 1, generator=generator) * math.pi


def points(waves: tuple[Tensor, Tensor], shots: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points of each wave at random places from -5 to 5 (B x K x 1 each)."""
    x_BK1 = torch.rand(len(waves[0]), shots, 1, generator=generator) * 10 - 5
    return x_BK1, waves[0] * torch.sin(x_BK1 + waves[1])


def initial(generator: torch.Generator) -> Parameters:
    def normal(rows: int, columns: int, size: float) -> Tensor:
        return size * torch.randn(rows, columns, generator=generator)

    return {
        "first": normal(1, WIDTH, 0.5), "first_bias": torch.zeros(WIDTH),
        "second": normal(WIDTH, WIDTH, 1.2 / WIDTH**0.5), "second_bias": torch.zeros(WIDTH),
        "head": normal(WIDTH, 1, 1.0 / WIDTH**0.5), "head_bias": torch.zeros(1),
    }  # fmt: skip


def squared_error(p: Parameters, data: tuple[Tensor, Tensor]) -> Tensor:
    hidden = torch.relu(data[0] @ p["first"] + p["first_bias"])
    hidden = torch.relu(hidden @ p["second"] + p["second_bias"])
    return ((hidden @ p["head"] + p["head_bias"] - data[1]) ** 2).mean()


def error_on_unseen(parameters: Parameters, inner: Inner) -> float:
    """Mean squared error along whole unseen waves after the inner steps on ten points of each."""
    generator = torch.Generator().manual_seed(123)
    waves = sinewaves(UNSEEN, generator)
    moved = adapted_each(squared_error, parameters, points(waves, SHOTS, generator), inner)
    x_BK1 = torch.linspace(-5, 5, 100).reshape(1, -1, 1).expand(UNSEEN, -1, -1)
    return float(vmap(squared_error)(moved, (x_BK1, waves[0] * torch.sin(x_BK1 + waves[1]))).mean())


def train_maml(steps: int, inner: Inner) -> Parameters:
    generator = torch.Generator().manual_seed(0)
    parameters = initial(generator)
    optimizer = torch.optim.Adam(list(parameters.values()), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        waves = sinewaves(BATCH, generator)
        support, query = points(waves, SHOTS, generator), points(waves, 3 * SHOTS, generator)
        gradient = meta_gradient(squared_error, parameters, support, query, inner)
        for name, values in parameters.items():
            values.grad = gradient[name]
        optimizer.step()
        schedule.step()
    return {name: values.detach() for name, values in parameters.items()}


def train_reptile(steps: int, inner: Inner) -> Parameters:
    generator = torch.Generator().manual_seed(0)
    parameters = initial(generator)
    for step in range(steps):
        waves = sinewaves(BATCH, generator)
        direction = reptile_direction(squared_error, parameters, points(waves, 2 * SHOTS, generator), inner)
        parameters = reptile_step(parameters, direction, 1.0 - step / steps)
    return parameters


@pytest.mark.slow
def test_maml_learns_unseen_sinewaves_in_five_steps() -> None:
    # trained through one inner step, which costs a quarter of five, and asked after five
    parameters = train_maml(8_000, Inner(1, 0.01))

    assert error_on_unseen(parameters, Inner(5, 0.01)) < 0.2


@pytest.mark.slow
def test_reptile_learns_unseen_sinewaves_in_five_steps() -> None:
    parameters = train_reptile(6_000, Inner(8, 0.03))

    assert error_on_unseen(parameters, Inner(5, 0.03)) < 0.35


def test_an_untrained_start_does_not_learn_a_sinewave_in_five_steps() -> None:
    parameters = initial(torch.Generator().manual_seed(0))

    assert error_on_unseen(parameters, Inner(5, 0.01)) > 2.0
