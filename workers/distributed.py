"""One training by several processes, one a device: each takes its share of every batch, their gradients are averaged.

The core knows peers only as an object that averages and tells (tournament/selectors/progress.py); here it is a
torch.distributed process group: NCCL between GPUs, Gloo between CPUs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from tournament.selectors.protocol import Budget, History, State
from tournament.selectors.registry import NEURAL, make

PATIENCE = timedelta(minutes=5)
"""Within which every peer must answer; when one has died, the others fail by then and the job is tried again."""
BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}


@dataclass(frozen=True, slots=True)
class GroupPeers:
    """The peers of the process group that this process has joined."""

    rank: int
    size: int

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all peers in the place of each tensor, all of them in one exchange."""
        if not tensors:
            return
        joined = torch.cat([values.detach().reshape(-1) for values in tensors])
        dist.all_reduce(joined)
        joined /= self.size
        start = 0
        with torch.no_grad():
            for values in tensors:
                values.copy_(joined[start : start + values.numel()].view_as(values))
                start += values.numel()

    def told(self, data: bytes | None) -> bytes | None:
        """What peer 0 says, on every peer; the others' own word counts for nothing."""
        length = torch.tensor([-1 if data is None else len(data)])
        dist.broadcast(length, src=0)
        if int(length) < 0:
            return None
        said = torch.zeros(int(length), dtype=torch.uint8)
        if self.rank == 0 and data is not None:
            said = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        dist.broadcast(said, src=0)
        return said.numpy().tobytes()


def meta_train(family: str, known: History, budget: Budget, *, device: str) -> State:
    """A family's training on all GPUs that there are, or in this process alone."""
    devices = torch.cuda.device_count() if device == "cuda" and family in NEURAL else 1
    if devices < 2:
        return make(family, device=device).meta_train([known], budget)
    return meta_train_together(family, known, budget, device=device, processes=devices)


def meta_train_together(
    family: str, known: History, budget: Budget, *, device: str, processes: int, **config: Any
) -> State:
    """The same by this process, which keeps the progress, and `processes - 1` others; `config` alters the family's."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder) / 'meeting'}"
        task = (family, known, replace(budget, progress=None), device, processes, meeting, config)
        others = [
            get_context("spawn").Process(target=_train_as_peer, args=(rank, *task)) for rank in range(1, processes)
        ]
        for other in others:
            other.start()
        try:
            with joined(0, processes, device, meeting) as peers:
                state = _selector(family, device, config).meta_train([known], replace(budget, peers=peers))
        except BaseException:
            for other in others:
                other.terminate()
            raise
        finally:
            for other in others:
                other.join()
    return state


@contextmanager
def joined(rank: int, size: int, device: str, meeting: str) -> Iterator[GroupPeers]:
    """The process group of all peers, who meet at a file; on CUDA each has the device of its number."""
    if device == "cuda":
        torch.cuda.set_device(rank)
    dist.init_process_group(BACKENDS[device], init_method=meeting, rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield GroupPeers(rank, size)
    finally:
        dist.destroy_process_group()


def _train_as_peer(
    rank: int, family: str, known: History, budget: Budget, device: str, size: int, meeting: str, config: dict[str, Any]
) -> None:
    """What the other processes do: the same training, whose result the first one gives."""
    torch.set_num_threads(1)
    with joined(rank, size, device, meeting) as peers:
        _selector(family, device, config).meta_train([known], replace(budget, peers=peers))


def _selector(family: str, device: str, config: dict[str, Any]) -> Any:
    selector: Any = make(family, device=device)
    return replace(selector, config=replace(selector.config, **config)) if config else selector
