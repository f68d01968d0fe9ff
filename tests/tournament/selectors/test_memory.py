"""The memory family writes score vectors to slots and reads them back by context."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from tests.tournament.selectors.episodes import episode
from tournament.selectors.meta.memory import SLOTS, Memory, Slots, empty

HERE, THERE = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])


def sharp(to_read: float = -40.0) -> Memory:
    """A memory that reads one slot, writes to the least used one only, and shrinks next to nothing."""
    network = Memory()
    with torch.no_grad():
        network.sharpness.fill_(60.0)
        network.to_read.fill_(to_read)
        network.log_shrink.fill_(-20.0)
    return network


def written(network: Memory, *rounds: tuple[torch.Tensor, list[float]], slots: int = 3) -> Slots:
    memory = empty(1, slots, 2, 2, like=HERE)
    for key, scores in rounds:
        memory = network.write(memory, key, torch.tensor([scores]), torch.ones(1, 2))
    return memory


def test_a_written_slot_is_read_back_by_the_same_context() -> None:
    network = sharp()

    memory = written(network, (HERE, [3.0, -1.0]), (THERE, [5.0, 7.0]))

    assert network.read(memory, HERE, torch.zeros(1, 2))[0].tolist() == pytest.approx([3.0, -1.0], abs=1e-4)
    assert network.read(memory, THERE, torch.zeros(1, 2))[0].tolist() == pytest.approx([5.0, 7.0], abs=1e-4)


def test_the_least_used_slot_is_overwritten_when_all_are_taken() -> None:
    network = sharp()
    full = written(network, (HERE, [1.0, 1.0]), (THERE, [2.0, 2.0]), slots=2)
    reused = network.write(full, HERE, torch.tensor([[3.0, 3.0]]), torch.ones(1, 2))

    # the first slot was read again just now, but the write had chosen the older of the two before
    assert full.sum_BNM[0, :, 0].tolist() == [1.0, 2.0]
    assert reused.sum_BNM[0, :, 0].tolist() == pytest.approx([3.0, 2.0])
    assert reused.usage_BN[0, 0] > reused.usage_BN[0, 1]


def test_an_open_gate_writes_to_the_slot_just_read() -> None:
    network = sharp()
    memory = written(network, (HERE, [1.0, 1.0]), slots=3)
    with torch.no_grad():
        network.to_read.fill_(40.0)

    memory = network.write(memory, HERE, torch.tensor([[3.0, 5.0]]), torch.ones(1, 2))

    assert memory.sum_BNM[0, 0].tolist() == pytest.approx([4.0, 6.0], abs=1e-4)
    assert memory.count_BNM[0, 0].tolist() == pytest.approx([2.0, 2.0], abs=1e-4)


def test_a_round_that_is_not_known_leaves_no_trace() -> None:
    network = Memory()
    memory = written(network, (HERE, [1.0, 2.0]))

    after = network.write(memory, THERE, torch.zeros(1, 2), torch.zeros(1, 2))

    assert all(torch.equal(*pair) for pair in zip(memory, after, strict=True))


def test_an_empty_memory_reads_the_known_means() -> None:
    known = torch.tensor([[0.4, -0.2]])

    assert Memory().read(empty(1, SLOTS, 2, 2, like=HERE), HERE, known)[0].tolist() == pytest.approx([0.4, -0.2])


def test_the_keys_can_be_learned_through_the_whole_episode() -> None:
    torch.manual_seed(0)
    network = Memory()
    contexts = torch.randn(6, 3)

    network(episode(torch.randn(6, 4), contexts, contexts[0])).square().sum().backward()

    assert all(values.grad is not None and torch.isfinite(values.grad).all() for values in network.parameters())
    assert network.columns.line.grad.abs().sum() > 0
    assert network.to_read.grad.abs() > 0


def test_keys_have_length_one_for_any_number_of_columns() -> None:
    network = Memory()

    keys = [network.keys(torch.randn(4, columns), torch.ones(4, 1)) for columns in (2, 7)]

    assert all(torch.allclose(key, normalize(key, dim=-1)) for key in keys)
