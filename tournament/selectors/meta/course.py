"""Where a training stands: all that its next step depends on, as bytes that a later attempt goes on from.

The bytes are safetensors: arrays, and one entry of metadata with the numbers that are none; no code, no pickle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from torch import Tensor, nn

from tournament.selectors.progress import Peers
from tournament.selectors.protocol import Budget

FORMAT = 1
NETWORK, BEST, OPTIMIZER, GENERATOR = "network/", "best/", "optimizer/", "generator"
Arrays = dict[str, NDArray[Any]]


@dataclass(slots=True)
class Course:
    """A training under way: what moves, the best state so far, and what every check found."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generator: torch.Generator
    about: dict[str, Any]
    """Config and seed: progress of another training is not gone on from."""
    best: dict[str, Tensor] = field(default_factory=dict)
    gains: list[float] = field(default_factory=list)
    stale: int = 0
    """Checks since the best one."""
    step: int = 0
    seconds: float = 0.0
    """Wall time of all attempts up to the last check."""
    is_late: bool = False

    def checked(self, gain: float, *, step: int | None = None) -> None:
        """Take in what a check found after the next `check_every` steps (or at `step`)."""
        is_best = not self.gains or gain > max(self.gains)
        self.gains.append(gain)
        self.best, self.stale = (_copy(self.network), 0) if is_best else (self.best, self.stale + 1)
        self.step = self.step + self.about["check_every"] if step is None else step

    def spend(self, seconds: float, budget: Budget) -> None:
        """Count the time since the last check, and save; peers keep to the slowest one's clock."""
        spent = torch.tensor([self.seconds + seconds], dtype=torch.float64)
        if budget.peers is not None:
            budget.peers.average([spent])
        self.seconds = float(spent)
        self.is_late = self.seconds > budget.seconds
        if budget.progress is not None and (budget.peers is None or budget.peers.rank == 0):
            budget.progress.save(self.to_bytes())

    def goes_on(self, budget: Budget) -> bool:
        """Go on from saved progress of the same training, if there is any; peers from the same bytes as the first."""
        data = None if budget.progress is None else budget.progress.load()
        if budget.peers is not None:
            data = budget.peers.told(data)
        if data is None or not self._restore(data):
            return False
        self.is_late = self.seconds > budget.seconds
        return True

    def to_bytes(self) -> bytes:
        """Everything that the next step depends on."""
        numbers = {
            "format": FORMAT, "about": self.about, "gains": self.gains, "stale": self.stale, "step": self.step,
            "seconds": self.seconds, "rates": [group["lr"] for group in self.optimizer.param_groups],
        }  # fmt: skip
        arrays = _named(NETWORK, self.network.state_dict()) | _named(BEST, self.best)
        for place, kept in self.optimizer.state_dict()["state"].items():
            arrays |= _named(f"{OPTIMIZER}{place}/", kept)
        arrays[GENERATOR] = self.generator.get_state().numpy()
        return save(arrays, metadata={"numbers": json.dumps(numbers, sort_keys=True)})

    def _restore(self, data: bytes) -> bool:
        """Take the place that `to_bytes` told; False, and nothing changed, when that was another training's."""
        numbers, arrays = read(data)
        if numbers.get("format") != FORMAT or numbers["about"] != json.loads(json.dumps(self.about)):
            return False
        network, best = _taken(arrays, NETWORK), _taken(arrays, BEST)
        if {name: values.shape for name, values in network.items()} != _shapes(self.network):
            return False
        self.network.load_state_dict(network)
        device = next(self.network.parameters()).device
        self.best = {name: values.to(device) for name, values in best.items()}
        self._restore_optimizer(arrays, numbers)
        self.generator.set_state(torch.from_numpy(arrays[GENERATOR].copy()))
        self.gains, self.stale, self.step = numbers["gains"], numbers["stale"], numbers["step"]
        self.seconds = numbers["seconds"]
        return True

    def _restore_optimizer(self, arrays: Arrays, numbers: dict[str, Any]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        for name, values in _taken(arrays, OPTIMIZER).items():
            place, _, what = name.partition("/")
            state.setdefault(int(place), {})[what] = values
        groups = self.optimizer.state_dict()["param_groups"]
        rated = [group | {"lr": rate} for group, rate in zip(groups, numbers["rates"], strict=True)]
        self.optimizer.load_state_dict({"state": state, "param_groups": rated})
        now = {"last_epoch": numbers["step"], "_step_count": numbers["step"] + 1, "_last_lr": numbers["rates"]}
        self.schedule.load_state_dict(self.schedule.state_dict() | now)


def read(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Numbers and arrays of saved progress; of what is no such thing, none."""
    try:
        size = int.from_bytes(data[:8], "little")
        return json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["numbers"]), load(data)
    except (KeyError, ValueError, SafetensorError):
        return {}, {}


def shared(drawn: Any, peers: Peers | None) -> Any:
    """This peer's share of what all have drawn alike; the whole of what cannot be parted evenly."""
    if peers is None or peers.size == 1 or not hasattr(drawn, "take") or len(drawn) % peers.size:
        return drawn
    return drawn.take(torch.arange(peers.rank, len(drawn), peers.size))


def average_gradients(network: nn.Module, peers: Peers | None) -> None:
    """Put the mean over all peers in the place of each gradient."""
    if peers is not None:
        peers.average([values.grad for values in network.parameters() if values.grad is not None])


def _named(prefix: str, tensors: dict[str, Any]) -> Arrays:
    return {prefix + name: _plain(values) for name, values in tensors.items()}


def _plain(values: Any) -> NDArray[Any]:
    return np.require(torch.as_tensor(values).detach().cpu().numpy(), requirements=["C"])


def _taken(arrays: Arrays, prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(values.copy())
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: values.shape for name, values in network.state_dict().items()}


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: values.detach().clone() for name, values in network.state_dict().items()}
