"""A network behind the selectors' protocol: train it, store it, ask it for expected scores, allocate exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tournament.errors import BadConfig, Fault
from tournament.selectors.allocator import best_blend
from tournament.selectors.baselines import STACK_RIDGE, ridge, ridge_outlook
from tournament.selectors.explanation.explained import Explained, allocated
from tournament.selectors.explanation.record import Estimate, Outlook
from tournament.selectors.meta.training import (
    Episodes,
    Material,
    Objective,
    TrainingConfig,
    blend_loss,
    episodes_in_contexts,
    query_episode,
    shown_in_training,
    split,
    train,
    training_episodes,
)
from tournament.selectors.protocol import Budget, Floats, History, Query, State, equal_weights
from tournament.selectors.tokens import SCALE
from tournament.selectors.weather import (
    PREFIX,
    Beliefs,
    beliefs_at_query,
    beliefs_in_contexts,
    beliefs_in_training,
    fit_weather,
    named,
)

MIN_ROUNDS = 40
NETWORK = "network_"
Teach = Callable[[nn.Module, Sequence[Material], TrainingConfig, Budget, Objective], list[float]]
"""Takes the steps on the network; returns the checked corr, step by step."""
AT_ONCE = 2_000_000
"""Pairs of models that a network sees at once when it is asked for several contexts."""


@dataclass(frozen=True)
class Neural(Explained):
    """The selector around a network that maps episodes to expected scores."""

    name: str
    make_network: Callable[[], nn.Module]
    device: str = "cpu"
    config: TrainingConfig = field(default_factory=TrainingConfig)
    make_episodes: Callable[[History, Beliefs], Episodes] = training_episodes
    objective: Objective = blend_loss
    teach: Teach = train

    def meta_train(self, tasks: Sequence[History], budget: Budget) -> State:
        """Train on every resolved round of every task long enough; the regime model is the last task's."""
        taught = [history for history in tasks if len(history.resolved()) >= MIN_ROUNDS]
        if not taught:
            return State(self.name)
        torch.manual_seed(budget.seed)
        network = self.make_network()
        if budget.start is not None and budget.start.arrays:
            network.load_state_dict(network_arrays(budget.start.arrays))
        network.to(self.device)
        own = fit_weather(tasks[-1], seed=budget.seed)
        material = []
        for history in taught:
            weather = own if history is tasks[-1] else fit_weather(history, seed=budget.seed)
            beliefs = beliefs_in_training(weather, history, history.resolved_rows())
            episodes = self.make_episodes(history, beliefs).to(self.device)
            material.append((episodes, *split(history, self.config.validation_share)))
        gains = self.teach(network, material, self.config, budget, self.objective)
        arrays = {NETWORK + name: values.cpu().numpy() for name, values in network.state_dict().items()}
        about = {"seed": budget.seed, "validation": gains}
        about["shown"] = shown_in_training(network, material[-1], self.config, taught[-1])
        return State(self.name, arrays | own, asdict(self.config) | about)

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: the episode is the adaptation, and contexts of open rounds tell the regime."""
        return state.adapted(support)

    def weigh(self, state: State, query: Query) -> Floats:
        """Expected scores by the network, then the exact allocator; ridge until it is trained."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        episode = query_episode(query, support, beliefs_at_query(_weather(state), support, query))
        expected_M, copies_M = self._expected(state, episode)[0], episode.copies_BM[0].double().numpy()
        return best_blend(expected_M, query.correlations_MM, query.active_M, ridge=STACK_RIDGE, copies_M=copies_M)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """Expected scores in each context, and in each regime were it certain; their scale is the network's own."""
        support = state.support
        if support is None or not len(support.resolved_rows()) or not state.arrays:
            return ridge_outlook(support, query, len(context_EC))
        weather = _weather(state)
        found = beliefs_in_contexts(weather, support, context_EC)
        certain_KK = np.eye(found.query_QK.shape[1] if weather else 0, found.query_QK.shape[1])
        asked_EC = np.vstack([context_EC, np.tile(query.context_K, (len(certain_KK), 1))])
        beliefs = Beliefs(np.vstack([found.query_QK, certain_KK]), found.support_RK)
        expected_EM = self._expected(state, episodes_in_contexts(query, support, asked_EC, beliefs))
        names = named(weather, support) if weather else ()
        probability_K = found.query_QK[0] if weather else None
        return allocated(expected_EM, query, Estimate.OWN, STACK_RIDGE, names=names, probability_K=probability_K)

    def _expected(self, state: State, episodes: Episodes) -> Floats:
        """Expected scores (B x M), so few episodes at a time that attention over many models stays small."""
        network = loaded(self.make_network, Stored(state.arrays))
        size = max(1, AT_ONCE // episodes.active_BM.shape[1] ** 2)
        with torch.inference_mode():
            if len(episodes) <= size:
                return np.asarray(network(episodes).double().numpy() / SCALE)
            parts = [episodes.take(rows) for rows in torch.arange(len(episodes)).split(size)]
            return torch.cat([network(part) for part in parts]).double().numpy() / SCALE


def _weather(state: State) -> dict[str, NDArray[Any]]:
    """The regime model of a state."""
    return {name: values for name, values in state.arrays.items() if name.startswith(PREFIX)}


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Arrays of a state as a key: the same as others that are the same objects, so nothing has to be hashed."""

    arrays: dict[str, NDArray[Any]]

    def __hash__(self) -> int:
        return id(self.arrays)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stored) and self.arrays is other.arrays


@lru_cache(maxsize=16)
def loaded(make_network: Callable[[], nn.Module], stored: Stored) -> nn.Module:
    """The network of a state, ready to be asked; built once for all closes that the state serves."""
    network = make_network()
    network.load_state_dict(network_arrays(stored.arrays))
    return network.eval()


def network_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """The network's parameters among a state's arrays."""
    kept = {name: values for name, values in arrays.items() if name.startswith(NETWORK)}
    return {name.removeprefix(NETWORK): torch.tensor(np.asarray(values)) for name, values in kept.items()}


def choose_device(device: str) -> str:
    """`cpu` or `cuda` for cpu, cuda, or auto: CUDA where there is one. Raises BadConfig when cuda is missing."""
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise BadConfig(Fault("device", "device is cuda, but torch finds no CUDA device", "use auto or cpu"))
    return "cuda" if found and device != "cpu" else "cpu"
