"""MAML, its variants and Reptile as free functions, checked against numpy, finite differences and hand work."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tournament.gradient_learning import (
    Inner,
    Parameters,
    Variant,
    adapted,
    adapted_each,
    meta_gradient,
    meta_loss,
    reptile_direction,
    reptile_step,
)

RATE = 0.1


def error(parameters: Parameters, data: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Squared error of a line through a bend: body and head are one number each."""
    x, y = data
    return ((parameters["head"] * torch.tanh(parameters["body"] * x) - y) ** 2).mean()


def start() -> Parameters:
    return {"body": torch.tensor(0.7, dtype=torch.float64), "head": torch.tensor(1.3, dtype=torch.float64)}


def tasks(seed: int, number: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(number, 5))), torch.tensor(rng.normal(size=(number, 5)))


def numpy_loss(body: float, head: float, x: np.ndarray, y: np.ndarray) -> float:
    return float(((head * np.tanh(body * x) - y) ** 2).mean())


def numpy_slopes(body: float, head: float, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    bent = np.tanh(body * x)
    miss = 2.0 * (head * bent - y)
    return float((miss * head * (1.0 - bent**2) * x).mean()), float((miss * bent).mean())


def numpy_meta_loss(body: float, head: float, steps: int) -> float:
    """The twin: inner steps by hand-written slopes, then the query's loss, mean over tasks."""
    losses = []
    for x, y, query_x, query_y in zip(*(part.numpy() for part in (*tasks(1), *tasks(2))), strict=True):
        now = (body, head)
        for _ in range(steps):
            now = tuple(value - RATE * slope for value, slope in zip(now, numpy_slopes(*now, x, y), strict=True))
        losses.append(numpy_loss(*now, query_x, query_y))
    return float(np.mean(losses))


def test_the_meta_loss_is_its_numpy_twin_s() -> None:
    loss = meta_loss(error, start(), tasks(1), tasks(2), Inner(3, RATE))

    assert loss.item() == pytest.approx(numpy_meta_loss(0.7, 1.3, 3), rel=1e-12)


def test_the_second_order_meta_gradient_is_the_finite_difference_of_the_twin() -> None:
    gradient = meta_gradient(error, start(), tasks(1), tasks(2), Inner(3, RATE))

    small = 1e-6
    body = (numpy_meta_loss(0.7 + small, 1.3, 3) - numpy_meta_loss(0.7 - small, 1.3, 3)) / (2 * small)
    head = (numpy_meta_loss(0.7, 1.3 + small, 3) - numpy_meta_loss(0.7, 1.3 - small, 3)) / (2 * small)
    assert gradient["body"].item() == pytest.approx(body, rel=1e-6)
    assert gradient["head"].item() == pytest.approx(head, rel=1e-6)


def test_the_first_order_gradient_is_the_query_s_slope_at_the_adapted_parameters() -> None:
    first = Inner(3, RATE, Variant.FIRST_ORDER)

    gradient = meta_gradient(error, start(), tasks(1), tasks(2), first)

    slopes = []
    for x, y, query_x, query_y in zip(*tasks(1), *tasks(2), strict=True):
        moved = adapted(error, start(), (x, y), first)
        slopes.append(numpy_slopes(moved["body"].item(), moved["head"].item(), query_x.numpy(), query_y.numpy()))
    assert [gradient["body"].item(), gradient["head"].item()] == pytest.approx(np.mean(slopes, axis=0), rel=1e-9)


def test_first_and_second_order_differ() -> None:
    first, second = (
        meta_gradient(error, start(), tasks(1), tasks(2), Inner(3, RATE, variant))
        for variant in (Variant.FIRST_ORDER, Variant.SECOND_ORDER)
    )

    assert abs(first["body"] - second["body"]) > 1e-3


def test_head_only_moves_the_head_alone_inside_yet_learns_both() -> None:
    inner = Inner(3, RATE, Variant.HEAD_ONLY)

    moved = adapted(error, start(), tuple(part[0] for part in tasks(1)), inner)
    gradient = meta_gradient(error, start(), tasks(1), tasks(2), inner)

    assert moved["body"].item() == 0.7
    assert moved["head"].item() != 1.3
    assert gradient["body"].item() != 0.0


def test_a_batch_of_tasks_is_each_task_by_itself() -> None:
    together = adapted_each(error, start(), tasks(1), Inner(2, RATE))

    alone = [adapted(error, start(), one, Inner(2, RATE))["body"].item() for one in zip(*tasks(1), strict=True)]
    assert together["body"].tolist() == pytest.approx(alone)


def test_reptile_moves_a_share_of_the_way_to_where_the_steps_lead() -> None:
    direction = reptile_direction(error, start(), tasks(1), Inner(4, RATE))

    moved = reptile_step(start(), direction, 0.25)

    arrived = adapted_each(error, start(), tasks(1), Inner(4, RATE))
    expected = 0.7 + 0.25 * (arrived["body"].mean().item() - 0.7)
    assert moved["body"].item() == pytest.approx(expected)
