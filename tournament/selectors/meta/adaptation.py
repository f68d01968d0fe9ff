"""A small learner of expected scores that is adapted by gradient steps on the newest rounds, behind the protocol.

Shape suffixes: Q queries, B tasks (batch), S support rounds, R rounds, M models, T tokens.
A task is a query with its support: the newest rounds resolved when it opened, each with the tokens known at its own
opening, so that the inner steps see what a step of the past would have seen. Both losses are the negative corr of the
blend, allocator included; the inner one takes fewer mirror steps. MAML and Reptile differ in what they learn from it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap

from tournament.gradient_learning import Inner, Loss, Parameters, adapted, adapted_each
from tournament.selectors.explanation.record import Outlook
from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import NETWORK, Neural, network_arrays
from tournament.selectors.meta.training import (
    Episodes,
    blend_corr,
    mirror_weights,
    newest_rows,
    support_episodes,
    training_episodes,
)
from tournament.selectors.protocol import Floats, History, Query, State
from tournament.selectors.tokens import TOKENS
from tournament.selectors.weather import PREFIX, Beliefs, beliefs_in_training

ADAPTED = "adapted_"
SUPPORT = 24
"""Newest resolved rounds that the inner steps see: about one regime's stay."""
INNER_MIRROR_STEPS = 6
WIDTH = 16


class Rounds(NamedTuple):
    """Rounds to blend, as a nest that torch.func maps over; those of weight 0 count nothing."""

    token_BMT: Tensor
    active_BM: Tensor
    score_BM: Tensor
    correlation_BMM: Tensor
    copies_BM: Tensor
    weight_B: Tensor

    def take(self, rows: Tensor, weight: Tensor) -> Rounds:
        """Some of the rounds, weighed anew."""
        rounds = Rounds(*(values[rows] for values in self))
        return rounds._replace(weight_B=weight)


@dataclass(frozen=True, slots=True)
class Tasks(Episodes):
    """Episodes, and for each the rows of its support rounds among all rounds, with weight 0 where there are fewer."""

    row_BS: Tensor
    weight_BS: Tensor
    all_rounds: Rounds

    def take(self, rows: Tensor) -> Tasks:
        """Some of the tasks; the rounds that supports are drawn from stay whole."""
        chosen = {field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "all_rounds"}
        return replace(self, **chosen)

    def to(self, device: str) -> Tasks:
        """The same on another device."""
        moved = {field.name: getattr(self, field.name).to(device) for field in fields(self)[:-1]}
        return replace(self, **moved, all_rounds=Rounds(*(values.to(device) for values in self.all_rounds)))

    def supports(self) -> Rounds:
        """Support rounds of every task (B x S x ...)."""
        return self.all_rounds.take(self.row_BS, self.weight_BS)


def as_rounds(episodes: Episodes) -> Rounds:
    """The queries of episodes as rounds of weight one; a round that opened before any score was known has weight 0."""
    return Rounds(
        episodes.token_BMT, episodes.active_BM, episodes.score_BM, episodes.correlation_BMM, episodes.copies_BM,
        episodes.known_BR.any(1).to(episodes.token_BMT.dtype),
    )  # fmt: skip


def adaptation_tasks(history: History, beliefs: Beliefs) -> Tasks:
    """Every resolved round as a task."""
    episodes, resolved = training_episodes(history, beliefs), history.resolved()
    row_QS, known_QS = (torch.from_numpy(values) for values in newest_rows(resolved, resolved, SUPPORT))
    rounds = as_rounds(episodes)
    return Tasks(**episodes.values(), row_BS=row_QS, weight_BS=known_QS * rounds.weight_B[row_QS], all_rounds=rounds)


def newest_support(history: History, weather: dict[str, NDArray[np.generic]]) -> Rounds:
    """The newest resolved rounds, as the inner steps see them."""
    rows = history.resolved_rows()[-SUPPORT:]
    return as_rounds(support_episodes(history, beliefs_in_training(weather, history, rows), rows))


class Learner(nn.Module):
    """Tokens of one model to its expected score; every model alike, so that it is equivariant."""

    def __init__(self) -> None:
        super().__init__()
        self.known = KnownMeans()
        self.body = nn.Sequential(nn.Linear(len(TOKENS), WIDTH), nn.Tanh())
        self.head = nn.Linear(WIDTH, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, token_BMT: Tensor) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        return self.known(token_BMT) + self.head(self.body(token_BMT)).squeeze(-1)


class Adapting(nn.Module):
    """The learner, adapted to each task's support before it answers the query."""

    def __init__(self, inner: Inner) -> None:
        super().__init__()
        self.learner = Learner()
        self.inner = inner

    def forward(self, tasks: Episodes) -> Tensor:
        """Expected scores (B x M); episodes without support rounds are answered as the parameters stand."""
        if not isinstance(tasks, Tasks):
            return self.learner(tasks.token_BMT)  # type: ignore[no-any-return]
        moved = adapted_each(self.loss(), self.parameters_by_name(), tasks.supports(), self.inner)
        return vmap(self.expected)(moved, tasks.token_BMT)

    def parameters_by_name(self) -> Parameters:
        """The learner's parameters, as the inner steps take them."""
        return dict(self.learner.named_parameters())

    def expected(self, parameters: Parameters, token_MT: Tensor) -> Tensor:
        """Expected scores under any parameters."""
        return functional_call(self.learner, parameters, (token_MT,))  # type: ignore[no-any-return]

    def loss(self) -> Loss:
        """Negative mean corr of the blends of some rounds, as a function of the learner's parameters."""

        def negative_corr(parameters: Parameters, rounds: Rounds) -> Tensor:
            expected_BM = self.expected(parameters, rounds.token_BMT)
            # equal expectations make the mirror's slope explode, and zero times infinity is no number
            expected_BM = torch.where(rounds.weight_B[:, None] > 0, expected_BM, rounds.score_BM)
            weights_BM = mirror_weights(expected_BM, rounds, INNER_MIRROR_STEPS)
            corr_B = blend_corr(weights_BM, rounds.score_BM, rounds.correlation_BMM)
            return -(corr_B * rounds.weight_B).sum() / rounds.weight_B.sum().clamp_min(1.0)

        return negative_corr


@dataclass(frozen=True)
class GradientLearner(Neural):
    """The selector around an adapting network: `adapt` takes the inner steps, `weights` is one forward."""

    def adapt(self, state: State, support: History) -> State:
        """Inner steps from the meta-trained parameters, never from those of an earlier adaptation."""
        learned = {name: values for name, values in state.arrays.items() if not name.startswith(ADAPTED)}
        if not learned or not len(support.resolved()):
            return replace(state, arrays=learned, support=support)
        weather = {name: values for name, values in learned.items() if name.startswith(PREFIX)}
        network: Adapting = self.make_network()  # type: ignore[assignment]
        network.load_state_dict(network_arrays(state.arrays))
        start = {name: values.detach() for name, values in network.parameters_by_name().items()}
        moved = adapted(network.loss(), start, newest_support(support, weather), network.inner)
        kept = {f"{ADAPTED}learner.{name}": values.detach().numpy() for name, values in moved.items()}
        return replace(state, arrays=learned | kept, support=support)

    def weigh(self, state: State, query: Query) -> Floats:
        """By the adapted parameters where there are some."""
        return super().weigh(_as_adapted(state), query)

    def outlook(self, state: State, query: Query, context_EC: Floats) -> Outlook:
        """By the adapted parameters: the adaptation read no context of the query."""
        return super().outlook(_as_adapted(state), query, context_EC)


def _as_adapted(state: State) -> State:
    """The state with the adapted parameters, where there are some, in the place of the meta-trained ones."""
    stands = {n.removeprefix(ADAPTED): values for n, values in state.arrays.items() if n.startswith(ADAPTED)}
    others = {n: values for n, values in state.arrays.items() if not n.startswith(ADAPTED)}
    return replace(state, arrays=others | {NETWORK + n: values for n, values in stands.items()})
