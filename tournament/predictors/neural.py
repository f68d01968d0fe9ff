"""A network that is trained once and fine-tuned each round: from ordinary training, by MAML, or by Reptile.

Shape suffixes: B tasks (batch), S support eras, Q query eras, N places, F features.
A task is a query, the `QUERY` eras from some era on, with its support, the newest `support` eras resolved when that era
opened: as in a round that is served. So no target of the support overlaps with one of the query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tournament.errors import BadInput, Fault
from tournament.gradient_learning import Inner, adapted, meta_loss, reptile_direction, towards
from tournament.predictors.eras import Eras, Floats
from tournament.predictors.network import FeatureNetwork, Sections, sections, values_of
from tournament.predictors.registry import SUPPORT
from tournament.rules import Rules
from tournament.selectors.meta.training import Rule, TrainingConfig, descend
from tournament.selectors.protocol import Budget, State

LEARNED, ADAPTED = "network_", "adapted_"
QUERY = 4
LEAST_TASKS = 30
"""Queries to fit on, fewer of which teach a network nothing."""
INNER = Inner(steps=3, rate=2.0)
ORDINARY = TrainingConfig(steps=80, learning_rate=5e-3, batch=8, check_every=20, patience=2, validation_share=0.15)
META = replace(ORDINARY, steps=60, check_every=15, patience=3)
REPTILE_META = replace(META, learning_rate=0.3, rule=Rule.PLAIN)


class Way(StrEnum):
    """How the parameters are learned from which the fine-tuning begins."""

    ORDINARY = "mlp"
    """To predict eras as they are; fine-tuning comes as a surprise."""
    MAML = "maml"
    """To predict the query after the fine-tuning. Source: Finn, Abbeel and Levine 2017, algorithm 1."""
    REPTILE = "reptile"
    """To lie near where fine-tuning on tasks ends. Source: Nichol, Achiam and Schulman 2018, algorithm 2."""


class Tasks(NamedTuple):
    """Support and query of each task (B x S x N x F and B x Q x N x F)."""

    support: Sections
    query: Sections

    def whole(self) -> Sections:
        """Support and query as one: Reptile knows no split of them."""
        return Sections(*(torch.cat(pair, dim=1) for pair in zip(self.support, self.query, strict=True)))


@dataclass(frozen=True, slots=True)
class Material:
    """All eras as tensors, and for each possible query the rows of its support and its own."""

    sections: Sections
    support_TS: Tensor
    query_TQ: Tensor
    fit: Tensor
    check: Tensor

    def tasks(self, chosen: Tensor, places: Tensor) -> Tasks:
        """Some tasks, on some places of their eras."""
        support, query = (rows[chosen] for rows in (self.support_TS, self.query_TQ))
        return Tasks(self.sections.take(support, places), self.sections.take(query, places))


@dataclass(frozen=True)
class NeuralPredictor:
    """The predictor around the network. Meta-training goes on from where ordinary training ends."""

    way: Way
    inner: Inner = INNER
    ordinary: TrainingConfig = ORDINARY
    meta: TrainingConfig = META
    support: int = SUPPORT
    places: int = 48
    """Rows of an era that a training step sees, drawn anew each step."""
    rules: Rules = field(default_factory=Rules)

    @property
    def name(self) -> str:
        """The family."""
        return str(self.way)

    def train(self, eras: Eras, *, seed: int) -> State:
        """Gradient steps on drawn tasks; the newest queries, purged of overlap, say when to stop."""
        material = make_material(eras, self.support, self.rules, self.ordinary.validation_share)
        torch.manual_seed(seed)
        network = FeatureNetwork(eras.features)
        about: dict[str, Any] = {"seed": seed, "support": self.support, "eras": len(eras), "inner": asdict(self.inner)}
        stages = {Way.ORDINARY: self.ordinary} | ({} if self.way is Way.ORDINARY else {self.way: self.meta})
        for way, config in stages.items():
            about[way] = asdict(config) | {"validation": self._descend(way, config, network, material, seed)}
        arrays = {LEARNED + name: values.detach().numpy().copy() for name, values in network.state_dict().items()}
        return State(self.name, arrays, about)

    def _descend(
        self, way: Way, config: TrainingConfig, network: FeatureNetwork, material: Material, seed: int
    ) -> list[float]:
        objective, every = OBJECTIVES[way], material.sections.weight_SN.shape[1]

        def draw(generator: torch.Generator) -> Tasks:
            chosen = material.fit[torch.randint(len(material.fit), (config.batch,), generator=generator)]
            return material.tasks(chosen, torch.randperm(every, generator=generator)[: self.places])

        return descend(
            network, draw, lambda: self._check(network, material), config, Budget(seed=seed),
            lambda net, tasks, _: objective(net, tasks, self.inner),  # type: ignore[arg-type]
        )  # fmt: skip

    def adapt(self, state: State, newest: Eras) -> State:
        """The inner steps, from what training learned and never from an earlier adaptation."""
        learned = {name: values for name, values in state.arrays.items() if name.startswith(LEARNED)}
        trained = replace(state, arrays=learned)
        if not len(newest):
            return trained
        network = _network(trained, newest.features)
        start = {name: values.detach() for name, values in network.parameters_by_name().items()}
        moved = adapted(network.loss, start, sections(newest.newest(self.support)), self.inner)
        kept = {ADAPTED + name: values.detach().numpy() for name, values in moved.items()}
        return replace(trained, arrays=learned | kept)

    def predict(self, state: State, features_NF: NDArray[np.int8]) -> Floats:
        """By the adapted parameters where there are some."""
        return values_of(_network(state, features_NF.shape[1]), features_NF)

    def _check(self, network: FeatureNetwork, material: Material) -> float:
        """Mean soft corr of the checked queries, after the inner steps where training counts on them."""
        tasks = material.tasks(material.check, torch.arange(min(2 * self.places, material.sections.weight_SN.shape[1])))
        if self.way is Way.ORDINARY:
            return float(network.corr(network.parameters_by_name(), tasks.query).mean())
        return -float(meta_loss(network.loss, network.parameters_by_name(), tasks.support, tasks.query, self.inner))


def ordinary_loss(network: FeatureNetwork, tasks: Tasks, inner: Inner) -> Tensor:
    """Negative soft corr of the queries, whose supports are not looked at."""
    return network.loss(network.parameters_by_name(), tasks.query)


def maml_loss(network: FeatureNetwork, tasks: Tasks, inner: Inner) -> Tensor:
    """Negative soft corr of the queries after the inner steps on their supports."""
    return meta_loss(network.loss, network.parameters_by_name(), tasks.support, tasks.query, inner)


def reptile_loss(network: FeatureNetwork, tasks: Tasks, inner: Inner) -> Tensor:
    """A number whose gradient is theta - theta_k."""
    parameters = network.parameters_by_name()
    return towards(parameters, reptile_direction(network.loss, parameters, tasks.whole(), inner))


OBJECTIVES: dict[Way, Callable[[FeatureNetwork, Tasks, Inner], Tensor]] = {
    Way.ORDINARY: ordinary_loss, Way.MAML: maml_loss, Way.REPTILE: reptile_loss,
}  # fmt: skip


def make_material(eras: Eras, support: int, rules: Rules, share: float) -> Material:
    """Every era that has a whole support and query as a task; the newest share of them to check on, each era once.

    A fitted query has resolved, and the embargo is over, before the first checked one opens. Raises BadInput when
    too few are left to fit on.
    """
    number_E, last = eras.number_E, len(eras) - QUERY
    known_E = np.searchsorted(number_E, number_E - rules.resolve_rounds, side="right")
    starts = np.flatnonzero((known_E >= support) & (np.arange(len(eras)) <= last))
    first = int(len(starts) * (1 - share))
    waits = rules.resolve_rounds + rules.embargo_rounds
    ends = number_E[starts + QUERY - 1] + waits
    fit = np.flatnonzero(ends[:first] <= number_E[starts[first]]) if first < len(starts) else np.arange(0)
    if len(fit) < LEAST_TASKS:
        found = f"{len(eras)} eras hold {len(fit)} tasks of {support} support eras and {QUERY} query eras"
        raise BadInput(Fault("few_eras", found, f"give more eras: at least {LEAST_TASKS} tasks are needed"))
    support_TS = known_E[starts][:, None] - support + np.arange(support)
    query_TQ = starts[:, None] + np.arange(QUERY)
    rows = (torch.from_numpy(values) for values in (support_TS, query_TQ, fit, np.arange(first, len(starts), QUERY)))
    return Material(sections(eras), *rows)


def _network(state: State, features: int) -> FeatureNetwork:
    """The network of a state. Raises BadInput when it was learned from other features or by another family."""
    prefix = ADAPTED if any(name.startswith(ADAPTED) for name in state.arrays) else LEARNED
    arrays = {n.removeprefix(prefix): values for n, values in state.arrays.items() if n.startswith(prefix)}
    network = FeatureNetwork(features)
    shapes = {name: tuple(values.shape) for name, values in network.state_dict().items()}
    if {name: values.shape for name, values in arrays.items()} != shapes:
        found = f"this state of family {state.family} holds no network of {features} features"
        raise BadInput(Fault("state", found, "train anew on these features"))
    network.load_state_dict({name: torch.tensor(values) for name, values in arrays.items()})
    return network


def build(family: str, rules: Rules) -> NeuralPredictor:
    """The predictor of a family: mlp, maml or reptile."""
    way = Way(family)
    return NeuralPredictor(way, meta=REPTILE_META if way is Way.REPTILE else META, rules=rules)
