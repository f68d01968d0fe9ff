"""Attention over the set of models, trained through the allocator on the blend's own corr.

Shape suffixes: B rounds (batch), M models, T tokens, D width. The network turns what is known of every model into an
expected score; unrolled mirror steps turn expected scores into weights, so the loss is the negative corr of the blend.
It starts as the mean of the tokens (trailing and similar-context means), and early stopping on the newest training
rounds, purged by the targets' overlap, keeps it there unless learning helps. Source: ours, after Lee et al. 2019
(set transformer) and the FFORMA idea of training on the blend's loss.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tournament.errors import BadConfig, Fault
from tournament.selectors.allocator import RIDGE, best_blend
from tournament.selectors.baselines import ridge
from tournament.selectors.protocol import Floats, History, Query, State, equal_weights
from tournament.selectors.tokens import MEANS, SCALE, TOKENS, as_history, tokens
from tournament.selectors.weather import PREFIX, Beliefs, beliefs_at_query, beliefs_in_training, fit_weather

MIN_ROUNDS = 40
NETWORK = "network_"


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything a run depends on beside data and seed."""

    width: int = 32
    heads: int = 4
    steps: int = 250
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    batch: int = 48
    check_every: int = 25
    patience: int = 3
    mirror_steps: int = 20
    validation_share: float = 0.2


class ScoreNetwork(nn.Module):
    """Tokens of a set of models to their expected scores; equivariant in the models."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([2.0 if name == "regime" else 0.0 for name in TOKENS[:MEANS]]))
        self.embed = nn.Sequential(nn.Linear(len(TOKENS), config.width), nn.GELU())
        self.attend = nn.MultiheadAttention(config.width, config.heads, batch_first=True)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Sequential(nn.Linear(config.width, config.width), nn.GELU(), nn.Linear(config.width, 1))
        self.gain = nn.Parameter(torch.tensor(0.1))

    def forward(self, token_BMT: Tensor, active_BM: Tensor) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        known = token_BMT[..., :MEANS] @ torch.softmax(self.mix, 0)
        hidden = self.embed(token_BMT)
        attended, _ = self.attend(hidden, hidden, hidden, key_padding_mask=~active_BM, need_weights=False)
        learned = self.head(self.norm(hidden + attended)).squeeze(-1)
        return known + self.gain * learned


def mirror_weights(mu_BM: Tensor, correlation_BMM: Tensor, active_BM: Tensor, steps: int) -> Tensor:
    """Weights (B x M) by exponentiated gradient steps on mu.w / sqrt(w'(C + lambda I)w); differentiable."""
    penalized = correlation_BMM + RIDGE * torch.eye(mu_BM.shape[1], device=mu_BM.device)
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


@dataclass(frozen=True)
class SetAttention:
    """The selector around the network."""

    name: str = "set_attention"
    device: str = "cpu"
    config: TrainingConfig = TrainingConfig()

    def meta_train(self, history: History, *, seed: int = 0) -> State:
        """Train on every resolved round as a query whose support is what was known at its opening."""
        resolved = history.resolved()
        if len(resolved) < MIN_ROUNDS:
            return State(self.name)
        torch.manual_seed(seed)
        network = ScoreNetwork(self.config).to(self.device)
        weather = fit_weather(history, seed=seed)
        beliefs = beliefs_in_training(weather, history, history.resolved_rows())
        gains = _train(network, _episodes(resolved, history, beliefs, self.device), resolved, self.config, seed)
        arrays = {NETWORK + name: values.cpu().numpy() for name, values in network.state_dict().items()}
        return State(self.name, arrays | weather, asdict(self.config) | {"seed": seed, "validation": gains})

    def adapt(self, state: State, support: History) -> State:
        """Keep everything known: the tokens are the adaptation, and contexts of open rounds tell the regime."""
        return state.adapted(support)

    def weights(self, state: State, query: Query) -> Floats:
        """Expected scores by the network, then the exact allocator; ridge until it is trained."""
        support = state.support
        if support is None or not len(support.resolved()):
            return equal_weights(query.active_M)
        if not state.arrays:
            return ridge(support.resolved(), query)
        network = ScoreNetwork(self.config)
        network.load_state_dict(
            {
                name.removeprefix(NETWORK): torch.tensor(a)
                for name, a in state.arrays.items()
                if name.startswith(NETWORK)
            }
        )
        beliefs = beliefs_at_query(_weather(state), support, query)
        token_QMT = torch.tensor(tokens(as_history(query, support), support, beliefs), dtype=torch.float32)
        with torch.inference_mode():
            expected = network(token_QMT, torch.tensor(query.active_M)[None])[0].double().numpy() / SCALE
        return best_blend(expected, query.correlations_MM, query.active_M)


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Queries as tensors."""

    token_BMT: Tensor
    active_BM: Tensor
    score_BM: Tensor
    correlation_BMM: Tensor

    def corr(self, network: ScoreNetwork, rows: Tensor, steps: int) -> Tensor:
        """Mean corr of the blends that the network would have made in these rounds."""
        active, correlation = self.active_BM[rows], self.correlation_BMM[rows]
        weights = mirror_weights(network(self.token_BMT[rows], active), correlation, active, steps)
        return blend_corr(weights, self.score_BM[rows], correlation).mean()


def _weather(state: State) -> dict[str, NDArray[Any]]:
    return {name: values for name, values in state.arrays.items() if name.startswith(PREFIX)}


def _episodes(resolved: History, history: History, beliefs: Beliefs, device: str) -> _Episodes:
    def tensor(values: Floats) -> Tensor:
        return torch.tensor(np.nan_to_num(values), dtype=torch.float32, device=device)

    active = torch.tensor(resolved.active_RM, device=device)
    correlations = tensor(resolved.correlations_RMM.astype(float))
    return _Episodes(
        tensor(tokens(resolved, history, beliefs)), active, tensor(resolved.scores_RM) * SCALE, correlations
    )


def _train(
    network: ScoreNetwork, episodes: _Episodes, resolved: History, config: TrainingConfig, seed: int
) -> list[float]:
    """Adam on the blend's corr; the best state on the purged newest rounds is kept, the untrained one included."""
    fit, check = _split(resolved, config.validation_share)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    best, gains, stale = _copy(network), [_check(network, episodes, check, config)], 0
    for step in range(1, config.steps + 1):
        batch = fit[torch.randint(len(fit), (config.batch,), generator=generator)]
        loss = -episodes.corr(network, batch, config.mirror_steps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % config.check_every:
            continue
        gains.append(_check(network, episodes, check, config))
        best, stale = (_copy(network), 0) if gains[-1] > max(gains[:-1]) else (best, stale + 1)
        if stale >= config.patience:
            break
    network.load_state_dict(best)
    return gains


def _split(resolved: History, share: float) -> tuple[Tensor, Tensor]:
    """Rows to fit on and rows to check on; a fitted round must have resolved before the first checked one opened."""
    first = int(len(resolved) * (1 - share))
    fit = np.flatnonzero(resolved.resolves_at_R[:first] <= resolved.opens_at_R[first])
    fit = fit[fit >= min(8, len(fit) // 4)]  # the very first rounds have no support to learn from
    return torch.tensor(fit), torch.arange(first, len(resolved))


def _check(network: ScoreNetwork, episodes: _Episodes, rows: Tensor, config: TrainingConfig) -> float:
    with torch.no_grad():
        return float(episodes.corr(network, rows, config.mirror_steps)) / SCALE


def _copy(network: ScoreNetwork) -> dict[str, Tensor]:
    return {name: values.detach().clone() for name, values in network.state_dict().items()}


def build(device: str) -> SetAttention:
    """The selector for `cpu`, `cuda`, or `auto`: CUDA where there is one. Raises BadConfig when cuda is missing."""
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise BadConfig(Fault("device", "device is cuda, but torch finds no CUDA device", "use auto or cpu"))
    return SetAttention(device="cuda" if found and device != "cpu" else "cpu")
