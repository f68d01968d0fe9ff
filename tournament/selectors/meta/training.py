"""What all neural families share: episodes as tensors, the differentiable allocator, and the one training loop.

Shape suffixes: B episodes (batch), M models, T tokens, R support rounds, C context columns, K regimes. A family is a
network that turns an episode into expected scores (B x M); unrolled mirror steps turn these into weights, so the loss
is the negative corr of the blend. Training is the loop below: draw episodes, forward, loss on the query, step; the
newest rounds, purged by the targets' overlap, say when to stop, and the state before any step is kept unless learning
helps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tournament.selectors.baselines import STACK_RIDGE
from tournament.selectors.meta.course import Course, average_gradients, shared
from tournament.selectors.protocol import Budget, Floats, History, Query
from tournament.selectors.shown import FITTED, HELD_OUT, shown
from tournament.selectors.tokens import (
    SCALE,
    as_history,
    cadence,
    copies_in,
    in_contexts,
    known_rounds,
    tokens,
    tokens_in_contexts,
)
from tournament.selectors.weather import Beliefs

SUPPORT_ROUNDS = 128
"""Newest resolved rounds that an episode shows; the tokens sum up all of them."""
CLIP = 4.0


class Rule(StrEnum):
    """How a gradient moves the parameters."""

    ADAM = "adam"
    PLAIN = "plain"
    """By the learning rate times the gradient: for a loss whose gradient is the move itself."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How long and how fast a network learns; the same for every family unless it says otherwise."""

    steps: int = 250
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    batch: int = 48
    check_every: int = 25
    patience: int = 3
    mirror_steps: int = 20
    ridge: float = STACK_RIDGE
    """The allocator's, in training as in serving."""
    validation_share: float = 0.2
    rule: Rule = Rule.ADAM
    own_rate: float = 1.0
    """Learning rate of parameters that are no layer's weights, as a multiple; they may be few numbers far away."""
    anneals: bool = False


@dataclass(frozen=True, slots=True)
class Episodes:
    """Queries with their supports as tensors; scores and tokens of scores are in units of 1 / SCALE.

    A support round that is not known, or beyond the support's length, has weight 0 in `known_BR`; rounds are oldest
    first and end with the newest. Contexts are in spreads of the support, missing ones 0. Beliefs are the regimes'
    probabilities by the weather, in an order that means nothing; without a weather there is one regime.
    """

    token_BMT: Tensor
    active_BM: Tensor
    score_BM: Tensor
    correlation_BMM: Tensor
    copies_BM: Tensor
    support_BRM: Tensor
    scored_BRM: Tensor
    known_BR: Tensor
    age_BR: Tensor
    context_BRC: Tensor
    query_context_BC: Tensor
    belief_BRK: Tensor
    query_belief_BK: Tensor

    def __len__(self) -> int:
        return len(self.token_BMT)

    def values(self) -> dict[str, Tensor]:
        """The tensors by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, rows: Tensor) -> Self:
        """Some of the episodes."""
        return replace(self, **{name: values[rows] for name, values in self.values().items()})

    def to(self, device: str) -> Self:
        """The same on another device."""
        return replace(self, **{name: values.to(device) for name, values in self.values().items()})


def training_episodes(history: History, beliefs: Beliefs, *, rounds: int = SUPPORT_ROUNDS) -> Episodes:
    """Every resolved round as a query whose support is what was known at its opening."""
    return _episodes(history.resolved(), history, beliefs, rounds)


def support_episodes(history: History, beliefs: Beliefs, rows: NDArray[np.intp]) -> Episodes:
    """Rounds `rows` of a history, which the beliefs' queries are too, with what was known at their own opening."""
    return _episodes(history.take(rows), history, beliefs, rounds=1)


def query_episode(query: Query, support: History, beliefs: Beliefs, *, rounds: int = SUPPORT_ROUNDS) -> Episodes:
    """One open round as a batch of one episode; its scores are zeros."""
    return _episodes(as_history(query, support), support, beliefs, rounds)


def episodes_in_contexts(query: Query, support: History, context_EC: Floats, beliefs: Beliefs) -> Episodes:
    """One open round as many episodes, each as if it had opened in one of these contexts; the rest is shared."""
    shared = query_episode(query, support, Beliefs(beliefs.query_QK[:1], beliefs.support_RK))
    queries, resolved = in_contexts(query, support, context_EC), support.resolved()
    _, query_context_EC = _in_spreads(resolved, queries, known_rounds(queries, resolved))
    same = {name: getattr(shared, name) for name in (field.name for field in fields(shared))}
    wide = Episodes(**{name: values.expand(len(context_EC), *values.shape[1:]) for name, values in same.items()})
    return replace(
        wide, token_BMT=_tensor(tokens_in_contexts(query, support, context_EC, beliefs)),
        query_context_BC=_tensor(query_context_EC), query_belief_BK=_tensor(beliefs.query_QK),
    )  # fmt: skip


def _episodes(queries: History, support: History, beliefs: Beliefs, rounds: int) -> Episodes:
    copies_QM = copies_in(queries)
    token_QMT = tokens(queries, support, beliefs, copies_QM)
    resolved = support.resolved()
    row_QR, known_QR = newest_rows(queries, resolved, rounds)
    belief_RK = beliefs.support_RK[support.resolved_rows()]
    scored_QRM = np.isfinite(resolved.scores_RM)[row_QR] & known_QR[..., None]
    support_QRM = np.where(scored_QRM, resolved.scores_RM[row_QR], 0.0)
    lag_QR = (queries.opens_at_R[:, None] - resolved.opens_at_R[row_QR]).astype("timedelta64[s]").astype(float)
    context_RC, query_context_QC = _in_spreads(resolved, queries, known_rounds(queries, resolved))
    correlations = queries.correlations_RMM
    if not np.isfinite(correlations.sum()):
        correlations = np.nan_to_num(correlations)
    values = (
        token_QMT, queries.active_RM, np.nan_to_num(queries.scores_RM) * SCALE, correlations, copies_QM,
        support_QRM * SCALE, scored_QRM, known_QR, lag_QR / cadence(support) * known_QR,
        np.take_along_axis(context_RC, row_QR[..., None], axis=1) * known_QR[..., None], query_context_QC,
        belief_RK[row_QR] * known_QR[..., None], beliefs.query_QK,
    )  # fmt: skip
    return Episodes(*(_tensor(array) for array in values))


def _tensor(values: NDArray[np.generic]) -> Tensor:
    kept = values if values.dtype == bool else values.astype(np.float32)
    return torch.from_numpy(np.require(kept, requirements=["C", "W"]))


def newest_rows(queries: History, resolved: History, rounds: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows of the newest `rounds` known rounds of each query, oldest first, and which of them there are (Q x R)."""
    known = known_rounds(queries, resolved)
    order = np.argsort(known, axis=1, kind="stable")[:, -rounds:]  # the known ones last, in order of time
    return order, np.take_along_axis(known, order, axis=1)


def _in_spreads(resolved: History, queries: History, known_QR: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Contexts of the resolved rounds (Q x R x C) and of the queries (Q x C), in spreads of what each query knows."""
    context_RC = np.nan_to_num(resolved.context_RK)
    count_Q1 = np.maximum(known_QR.sum(axis=1, keepdims=True), 1.0)
    centre_QC = known_QR @ context_RC / count_Q1
    variance_QC = known_QR @ context_RC**2 / count_Q1 - centre_QC**2
    spread_QC = np.sqrt(np.maximum(variance_QC, 1e-12))
    seen_QRC = np.clip((context_RC[None] - centre_QC[:, None]) / spread_QC[:, None], -CLIP, CLIP)
    query_QC = np.where(np.isfinite(queries.context_RK), queries.context_RK, centre_QC)
    return seen_QRC, np.clip((query_QC - centre_QC) / spread_QC, -CLIP, CLIP)


class Blended(Protocol):
    """What the allocator reads of some rounds."""

    @property
    def active_BM(self) -> Tensor:
        """Who submitted."""

    @property
    def correlation_BMM(self) -> Tensor:
        """How alike the models are."""

    @property
    def copies_BM(self) -> Tensor:
        """How many models each stands for."""


class Scored(Blended, Protocol):
    """Rounds with what their models scored."""

    @property
    def score_BM(self) -> Tensor:
        """Scores, zero where there is none."""


def mirror_weights(mu_BM: Tensor, episodes: Blended, steps: int, *, ridge: float = STACK_RIDGE) -> Tensor:
    """Weights (B x M) by exponentiated gradient steps on the allocator's own objective; differentiable.

    Copies share what one of them would get, after any number of steps.
    """
    active_BM = episodes.active_BM
    penalized = episodes.correlation_BMM + ridge * torch.diag_embed(episodes.copies_BM)
    # a family of copies begins with one model's share: few steps from equal weights would leave it a flood's
    log_weights = (-torch.log(episodes.copies_BM)).masked_fill(~active_BM, -1e9)
    for _ in range(steps):
        weights = torch.softmax(log_weights, 1)
        with_blend = torch.einsum("bmn,bn->bm", penalized, weights)
        variance = (weights * with_blend).sum(1, keepdim=True).clamp_min(1e-6)
        score = (weights * mu_BM).sum(1, keepdim=True)
        gradient = (mu_BM - score * with_blend / variance) / variance.sqrt()
        scale = gradient.masked_fill(~active_BM, 0.0).abs().amax(1, keepdim=True).clamp_min(1e-6)
        log_weights = log_weights + gradient / scale.detach()
    return torch.softmax(log_weights.masked_fill(~active_BM, -1e9), 1)


def blend_corr(weights_BM: Tensor, score_BM: Tensor, correlation_BMM: Tensor) -> Tensor:
    """corr of each blend: s.w / sqrt(w'Cw), length B."""
    variance = torch.einsum("bm,bmn,bn->b", weights_BM, correlation_BMM, weights_BM).clamp_min(1e-6)
    return (weights_BM * score_BM).sum(1) / variance.sqrt()


def mean_corr(network: nn.Module, episodes: Scored, config: TrainingConfig) -> Tensor:
    """Mean corr (in units of 1 / SCALE) of the blends that the network would have made."""
    weights = mirror_weights(network(episodes), episodes, config.mirror_steps, ridge=config.ridge)
    return blend_corr(weights, episodes.score_BM, episodes.correlation_BMM).mean()


def blend_loss(network: nn.Module, episodes: Episodes, config: TrainingConfig) -> Tensor:
    """What training lowers unless a family says otherwise: the negative mean corr of the blends."""
    return -mean_corr(network, episodes, config)


Material = tuple[Any, Tensor, Tensor]
"""Episodes of one task (of whatever kind the network reads), the rows to fit on, the rows to check on."""
Objective = Callable[[nn.Module, Any, TrainingConfig], Tensor]
"""Network, what was drawn, config to the loss."""


def train(
    network: nn.Module,
    tasks: Sequence[Material],
    config: TrainingConfig,
    budget: Budget,
    objective: Objective = blend_loss,
) -> list[float]:
    """Gradient steps on the objective, by default the blend's corr; the best state on the checked rounds is kept.

    The state before any step is one of them. A task is its episodes with the rows to fit on and the rows to check on.
    Returns the checked corr, step by step.
    """

    def draw(generator: torch.Generator) -> Episodes:
        episodes, fit, _ = tasks[int(torch.randint(len(tasks), (1,), generator=generator))]
        return episodes.take(fit[torch.randint(len(fit), (config.batch,), generator=generator)])

    return descend(network, draw, lambda: checked_corr(network, tasks, config), config, budget, objective)


def descend(
    network: nn.Module,
    draw: Callable[[torch.Generator], Any],
    check: Callable[[], float],
    config: TrainingConfig,
    budget: Budget,
    objective: Objective = blend_loss,
) -> list[float]:
    """The loop itself: draw episodes, loss, step; every so often check, and keep the state that checked best.

    Each check is a place to go on from: with `budget.progress` a training that was cut off there and begun again ends
    with the same bytes as one that was not, if what `draw` keeps between calls is spent by then. With `budget.peers`
    each takes its share of every batch, and the mean of their gradients is the joined batch's.
    """
    course = _begun(network, config, budget, check)
    while course.step + config.check_every <= config.steps and course.stale < config.patience and not course.is_late:
        start = time.monotonic()
        for _ in range(config.check_every):
            loss = objective(network, shared(draw(course.generator), budget.peers), config)
            course.optimizer.zero_grad()
            loss.backward()
            average_gradients(network, budget.peers)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            course.optimizer.step()
            course.schedule.step()
        course.checked(_checked(check))
        course.spend(time.monotonic() - start, budget)
    network.load_state_dict(course.best)
    return course.gains


def _begun(network: nn.Module, config: TrainingConfig, budget: Budget, check: Callable[[], float]) -> Course:
    """Where an earlier attempt was cut off, else the beginning."""
    optimizer, schedule = _optimizer(network, config)
    generator = torch.Generator().manual_seed(budget.seed)
    about = asdict(config) | {"seed": budget.seed}
    course = Course(network, optimizer, schedule, generator, about)
    if not course.goes_on(budget):
        course.checked(_checked(check), step=0)
    return course


def _optimizer(
    network: nn.Module, config: TrainingConfig
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Layers at the learning rate, the network's own numbers at `own_rate` times it and without decay."""
    named = list(network.named_parameters())
    layers = [values for name, values in named if name.endswith(("weight", "bias"))]
    own = [values for name, values in named if not name.endswith(("weight", "bias"))]
    groups: list[dict[str, Any]] = [{"params": layers}]
    if own:
        decay = config.weight_decay if config.own_rate == 1.0 else 0.0
        groups.append({"params": own, "lr": config.learning_rate * config.own_rate, "weight_decay": decay})
    kind: Any = torch.optim.SGD if config.rule is Rule.PLAIN else torch.optim.AdamW
    options = {} if config.rule is Rule.PLAIN else {"weight_decay": config.weight_decay}
    if config.rule is Rule.PLAIN:
        groups = [{name: value for name, value in group.items() if name != "weight_decay"} for group in groups]
    optimizer = kind([group for group in groups if group["params"]], lr=config.learning_rate, **options)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, config))


def _rate(step: int, config: TrainingConfig) -> float:
    """Share of the learning rate at a step: all of it, or a rise over a tenth of the steps and a cosine to nothing."""
    if not config.anneals:
        return 1.0
    done = min(1.0, step / config.steps)
    return done / 0.1 if done < 0.1 else 0.5 * (1.0 + math.cos(math.pi * (done - 0.1) / 0.9))


def split(history: History, share: float) -> tuple[Tensor, Tensor]:
    """Rows of the resolved rounds to fit on and to check on.

    A fitted round must have resolved before the first checked one opened: targets overlap.
    """
    resolved = history.resolved()
    first = int(len(resolved) * (1 - share))
    fit = np.flatnonzero(resolved.resolves_at_R[:first] <= resolved.opens_at_R[first])
    fit = fit[fit >= min(8, len(fit) // 4)]  # the very first rounds have no support to learn from
    return torch.tensor(fit), torch.arange(first, len(resolved))


def checked_corr(network: nn.Module, tasks: Sequence[Material], config: TrainingConfig) -> float:
    """Mean corr of the network's blends over the rounds to check on, every task counting alike."""
    means = [mean_corr(network, episodes.take(check), config) for episodes, _, check in tasks]
    return float(torch.stack(means).mean()) / SCALE


def gains_over_equal(network: nn.Module, episodes: Any, rows: Tensor, config: TrainingConfig) -> Floats:
    """Linear corr of the network's blend less that of equal weights, in each of these rounds (R)."""
    parts = []
    with torch.no_grad():
        for few in rows.split(config.batch):
            asked = episodes.take(few)
            ours = mirror_weights(network(asked), asked, config.mirror_steps, ridge=config.ridge)
            equal = asked.active_BM / asked.active_BM.sum(1, keepdim=True)
            both = (blend_corr(weights, asked.score_BM, asked.correlation_BMM) for weights in (ours, equal))
            parts.append(next(both) - next(both))
    return torch.cat(parts).double().cpu().numpy() / SCALE if parts else np.zeros(0)


def shown_in_training(
    network: nn.Module, material: Material, config: TrainingConfig, history: History
) -> dict[str, dict[str, Any]]:
    """What the trained network gains over equal weight on the rounds it was fitted on, and on those held out."""
    episodes, fit, check = material
    return {
        kind: shown(gains_over_equal(network, episodes, rows, config), history)
        for kind, rows in ((FITTED, fit), (HELD_OUT, check))
    }


def _checked(check: Callable[[], float]) -> float:
    with torch.no_grad():
        return check()
