"""Two processes that share each batch and average their gradients train as one on the joined batch does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tournament.histories import history
from tournament.selectors.meta.course import read, shared
from tournament.selectors.meta.training import TrainingConfig, descend
from tournament.selectors.progress import Peers
from tournament.selectors.protocol import Budget, History
from tournament.selectors.registry import make
from workers.distributed import joined, meta_train, meta_train_together

pytestmark = pytest.mark.slow

CONFIG = {"steps": 12, "check_every": 4, "batch": 16, "patience": 9}


@dataclass
class Kept:
    """Keeps progress in this process."""

    saved: list[bytes] = field(default_factory=list)

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, data: bytes) -> None:
        self.saved.append(data)


def known() -> History:
    past = history()
    return past.known_at(past.opens_at_R[85])


def alone(family: str, budget: Budget, **config: int):
    selector = make(family)
    return replace(selector, config=replace(selector.config, **(CONFIG | config))).meta_train([known()], budget)


def together(family: str, budget: Budget, **config: int):
    return meta_train_together(family, known(), budget, device="cpu", processes=2, **(CONFIG | config))


@dataclass
class Points:
    """A batch of a smooth problem in double precision."""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: torch.Tensor) -> Points:
        return Points(self.x[rows], self.y[rows])


def learn(peers: Peers | None, batch: int = 16) -> dict[str, torch.Tensor]:
    """A small network taught by the one training loop."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    config = TrainingConfig(steps=60, check_every=20, batch=batch, learning_rate=1e-2)

    def draw(generator: torch.Generator) -> Points:
        x = torch.randn(batch, 3, generator=generator, dtype=torch.float64)
        return Points(x, torch.sin(x.sum(1)))

    def squares(net: torch.nn.Module, points: Points, _: TrainingConfig) -> torch.Tensor:
        return ((net(points.x)[:, 0] - points.y) ** 2).mean()

    same = draw(torch.Generator().manual_seed(9))
    descend(network, draw, lambda: -float(squares(network, same, config)), config, Budget(peers=peers), squares)
    return network.state_dict()


def learn_as_peer(meeting: str) -> None:
    with joined(1, 2, "cpu", meeting) as peers:
        learn(peers)


def test_two_processes_end_where_one_on_the_joined_batch_does(tmp_path: Path) -> None:
    meeting = f"file://{tmp_path / 'meeting'}"
    other = get_context("spawn").Process(target=learn_as_peer, args=(meeting,))
    other.start()
    with joined(0, 2, "cpu", meeting) as peers:
        ours = learn(peers)
    other.join()

    theirs, half = learn(None), learn(None, batch=8)
    assert other.exitcode == 0
    assert all(torch.allclose(ours[name], theirs[name], rtol=0, atol=1e-10) for name in theirs)
    assert not all(torch.allclose(half[name], theirs[name], rtol=0, atol=1e-3) for name in theirs)


def test_a_family_takes_the_same_step_with_two_processes() -> None:
    """One step: a network in single precision amplifies its last digits beyond comparison within ten."""
    ours = together("reptile", Budget(seed=3), steps=1, check_every=1)
    theirs = alone("reptile", Budget(seed=3), steps=1, check_every=1)

    assert ours.config["validation"] == pytest.approx(theirs.config["validation"], abs=1e-6)
    assert theirs.config["validation"][1] > theirs.config["validation"][0]  # the step, not the start, was kept
    for name, values in theirs.arrays.items():
        assert np.allclose(ours.arrays[name], values, rtol=1e-4, atol=1e-5), name


def test_the_first_keeps_the_progress_and_tells_the_others_where_to_go_on() -> None:
    kept = Kept()
    whole = together("reptile", Budget(seed=3, progress=kept))
    cut = Kept(saved=kept.saved[:1])

    resumed = together("reptile", Budget(seed=3, progress=cut))

    assert [read(data)[0]["step"] for data in cut.saved] == [4, 8, 12]
    assert resumed.to_bytes() == whole.to_bytes()


def test_each_peer_takes_its_share_and_all_of_what_cannot_be_parted() -> None:
    class Peer:
        rank, size = 1, 2

    class Drawn:
        def __init__(self, rows: torch.Tensor) -> None:
            self.rows = rows

        def __len__(self) -> int:
            return len(self.rows)

        def take(self, rows: torch.Tensor) -> Drawn:
            return Drawn(self.rows[rows])

    even, odd = Drawn(torch.arange(6)), Drawn(torch.arange(5))

    assert shared(even, Peer()).rows.tolist() == [1, 3, 5]
    assert shared(odd, Peer()) is odd
    assert shared(even, None) is even


def test_without_several_gpus_one_process_trains() -> None:
    ours = meta_train("kernel", known(), Budget(seed=3), device="cpu")

    assert ours.to_bytes() == make("kernel").meta_train([known()], Budget(seed=3)).to_bytes()
