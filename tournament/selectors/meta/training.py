"""What all neural families share: episodes as tensors, the differentiable allocator, and the one training loop.

Shape suffixes: B episodes (batch), M models, T tokens, R support rounds, C context columns. A family is a network that
turns an episode into expected scores (B x M); unrolled mirror steps turn these into weights, so the loss is the
negative corr of the blend. Training is the loop below: draw episodes, forward, loss on the query, step; the newest
rounds, purged by the targets' overlap, say when to stop, and the state before any step is kept unless learning helps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tournament.selectors.allocator import RIDGE, copies
from tournament.selectors.protocol import Budget, Floats, History, Query
from tournament.selectors.tokens import SCALE, as_history, cadence, known_rounds, tokens
from tournament.selectors.weather import Beliefs

SUPPORT_ROUNDS = 128
"""Newest resolved rounds that an episode shows; the tokens sum up all of them."""
CLIP = 4.0


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
    validation_share: float = 0.2


@dataclass(frozen=True, slots=True)
class Episodes:
    """Queries with their supports as tensors; scores and tokens of scores are in units of 1 / SCALE.

    A support round that is not known, or beyond the support's length, has weight 0 in `known_BR`; rounds are oldest
    first and end with the newest. Contexts are in spreads of the support, missing ones 0.
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

    def __len__(self) -> int:
        return len(self.token_BMT)

    def take(self, rows: Tensor) -> Episodes:
        """Some of the episodes."""
        return Episodes(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: str) -> Episodes:
        """The same on another device."""
        return Episodes(*(getattr(self, field.name).to(device) for field in fields(self)))


def training_episodes(history: History, beliefs: Beliefs, *, rounds: int = SUPPORT_ROUNDS) -> Episodes:
    """Every resolved round as a query whose support is what was known at its opening."""
    return _episodes(history.resolved(), history, beliefs, rounds)


def query_episode(query: Query, support: History, beliefs: Beliefs, *, rounds: int = SUPPORT_ROUNDS) -> Episodes:
    """One open round as a batch of one episode; its scores are zeros."""
    return _episodes(as_history(query, support), support, beliefs, rounds)


def _episodes(queries: History, support: History, beliefs: Beliefs, rounds: int) -> Episodes:
    token_QMT = tokens(queries, support, beliefs)
    resolved = support.resolved()
    row_QR, known_QR = _newest_rows(queries, resolved, rounds)
    scored_QRM = np.isfinite(resolved.scores_RM)[row_QR] & known_QR[..., None]
    support_QRM = np.where(scored_QRM, resolved.scores_RM[row_QR], 0.0)
    lag_QR = (queries.opens_at_R[:, None] - resolved.opens_at_R[row_QR]).astype("timedelta64[s]").astype(float)
    context_RC, query_context_QC = _in_spreads(resolved, queries, known_rounds(queries, resolved))
    correlations = np.nan_to_num(queries.correlations_RMM.astype(float))
    copies_QM = np.stack([copies(C, active) for C, active in zip(correlations, queries.active_RM, strict=True)])
    values = (
        token_QMT, queries.active_RM, np.nan_to_num(queries.scores_RM) * SCALE, correlations, copies_QM,
        support_QRM * SCALE, scored_QRM, known_QR, lag_QR / cadence(support) * known_QR,
        np.take_along_axis(context_RC, row_QR[..., None], axis=1) * known_QR[..., None], query_context_QC,
    )  # fmt: skip
    return Episodes(*(_tensor(array) for array in values))


def _tensor(values: NDArray[np.generic]) -> Tensor:
    kept = values if values.dtype == bool else values.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(kept))


def _newest_rows(queries: History, resolved: History, rounds: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
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


def mirror_weights(mu_BM: Tensor, episodes: Episodes, steps: int) -> Tensor:
    """Weights (B x M) by exponentiated gradient steps on the allocator's own objective; differentiable."""
    active_BM = episodes.active_BM
    penalized = episodes.correlation_BMM + RIDGE * torch.diag_embed(episodes.copies_BM)
    log_weights = torch.zeros_like(mu_BM).masked_fill(~active_BM, -1e9)
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


def mean_corr(network: nn.Module, episodes: Episodes, mirror_steps: int) -> Tensor:
    """Mean corr (in units of 1 / SCALE) of the blends that the network would have made."""
    weights = mirror_weights(network(episodes), episodes, mirror_steps)
    return blend_corr(weights, episodes.score_BM, episodes.correlation_BMM).mean()


def train(
    network: nn.Module, tasks: Sequence[tuple[Episodes, Tensor, Tensor]], config: TrainingConfig, budget: Budget
) -> list[float]:
    """Adam on the blend's corr; the best state on the checked rounds is kept, the one before any step included.

    A task is its episodes with the rows to fit on and the rows to check on. Returns the checked corr, step by step.
    """
    generator, deadline = torch.Generator().manual_seed(budget.seed), time.monotonic() + budget.seconds
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    best, gains, stale = _copy(network), [_check(network, tasks, config)], 0
    for step in range(1, config.steps + 1):
        episodes, fit, _ = tasks[int(torch.randint(len(tasks), (1,), generator=generator))]
        batch = fit[torch.randint(len(fit), (config.batch,), generator=generator)]
        loss = -mean_corr(network, episodes.take(batch), config.mirror_steps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % config.check_every:
            continue
        gains.append(_check(network, tasks, config))
        best, stale = (_copy(network), 0) if gains[-1] > max(gains[:-1]) else (best, stale + 1)
        if stale >= config.patience or time.monotonic() > deadline:
            break
    network.load_state_dict(best)
    return gains


def split(history: History, share: float) -> tuple[Tensor, Tensor]:
    """Rows of the resolved rounds to fit on and to check on.

    A fitted round must have resolved before the first checked one opened: targets overlap.
    """
    resolved = history.resolved()
    first = int(len(resolved) * (1 - share))
    fit = np.flatnonzero(resolved.resolves_at_R[:first] <= resolved.opens_at_R[first])
    fit = fit[fit >= min(8, len(fit) // 4)]  # the very first rounds have no support to learn from
    return torch.tensor(fit), torch.arange(first, len(resolved))


def _check(network: nn.Module, tasks: Sequence[tuple[Episodes, Tensor, Tensor]], config: TrainingConfig) -> float:
    with torch.no_grad():
        means = [mean_corr(network, episodes.take(check), config.mirror_steps) for episodes, _, check in tasks]
        return float(torch.stack(means).mean()) / SCALE


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: values.detach().clone() for name, values in network.state_dict().items()}
