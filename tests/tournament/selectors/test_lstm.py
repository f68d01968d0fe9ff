"""The LSTM family is a learned gradient descent on each model's squared error."""

from __future__ import annotations

import math

import pytest
import torch

from tests.tournament.selectors.episodes import episode
from tournament.selectors.meta.lstm import LearnedOptimizer

SCORES = torch.tensor([[1.0, 4.0], [3.0, float("nan")], [-1.0, 2.0]])
CONTEXTS = torch.zeros(3, 2)


def with_fixed_gates(forget: float, rate: float) -> LearnedOptimizer:
    network = LearnedOptimizer()
    with torch.no_grad():
        network.gates.weight.zero_()
        network.gates.bias.copy_(torch.tensor([forget, math.log(rate / (1.0 - rate))]))
    return network


def test_with_fixed_gates_it_is_gradient_descent_worked_by_hand() -> None:
    network = with_fixed_gates(40.0, 0.5)

    theta = network(episode(SCORES, CONTEXTS, torch.zeros(2)))

    # from 0: 0.5, 1.75, 0.375 for the first; 2.0, not scored, 2.0 for the second
    assert theta[0].tolist() == pytest.approx([0.375, 2.0], abs=1e-6)


def test_a_model_that_was_not_scored_keeps_its_state_and_its_gates() -> None:
    network = LearnedOptimizer()
    theta, gate, like = torch.tensor([[0.7, 0.7]]), torch.full((1, 2, 2), 0.3), torch.ones(1, 2, 2)

    moved, opened = network.step(theta, gate, torch.tensor([[2.0, 0.0]]), torch.tensor([[True, False]]), like)

    assert moved[0, 1] == theta[0, 1]
    assert torch.equal(opened[0, 1], gate[0, 1])
    assert moved[0, 0] != theta[0, 0]


def test_a_round_of_the_query_s_regime_moves_more_than_another() -> None:
    network = LearnedOptimizer()
    beliefs = torch.tensor([[1.0, 0.0]])

    alike, unlike = (
        network(
            episode(torch.tensor([[2.0]]), torch.zeros(1, 2), torch.zeros(2), belief_RK=beliefs, query_belief_K=query)
        )
        for query in (torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    )

    assert alike.item() > 5 * unlike.item() > 0


def test_all_gates_can_be_learned() -> None:
    network = LearnedOptimizer()

    network(episode(SCORES, CONTEXTS, torch.ones(2))).sum().backward()

    assert (network.gates.weight.grad.abs().sum(1) > 0).all()
