"""A learned optimizer of expected scores: an LSTM cell per model, its weights shared by all models.

Shape suffixes: B episodes, R support rounds (oldest first), M models, F features, C context columns, K regimes.
The cell state of a model is its expected score theta. Each resolved round is a step on the squared error of its score,

    theta <- f * theta - i * (theta - score),

and the gates f and i are learned functions of the gradient, the loss, theta, the gates before, and how like the round's
context and regime are to the query's. With f = 1 and i constant it is gradient descent. A round in which a model was
not scored leaves the model as it was. Source: Ravi and Larochelle 2017, section 3.1, equation 4, with models in the
place of parameters; the first state is a mix of known means in the place of one learned vector, for models come and go.

One history is one long task: with some hundred queries that share their rounds the gates learn little, and the family
stays near the known means that it starts from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Episodes, TrainingConfig

CONFIG = TrainingConfig(steps=40, learning_rate=1e-2, batch=16, check_every=20, patience=2)
FEATURES = 8
FORGET, INPUT = 8.0, -8.0
"""Biases at the start: a gate of 0.9997 that keeps nearly all, and one of 0.0003 that lets in next to nothing. Scores
are mostly noise: a gate of 0.0025 costs three points of the gap to informed Bayes (worlds 102-107), one of 0.02 more,
and training on a few hundred rounds does not find the way back."""
ALIKE = 2.0
"""Weight at the start of a shared regime in the input gate: a round of the query's regime counts e^2 times."""


class LearnedOptimizer(nn.Module):
    """Episodes to expected scores by one gated step a resolved round."""

    def __init__(self) -> None:
        super().__init__()
        self.start = KnownMeans()
        self.gates = nn.Linear(FEATURES, 2)
        with torch.no_grad():
            self.gates.weight.zero_()
            self.gates.weight[1, -1] = ALIKE
            self.gates.bias.copy_(torch.tensor([FORGET, INPUT]))

    def forward(self, episodes: Episodes) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        theta = self.start(episodes.token_BMT)
        gate = torch.sigmoid(self.gates.bias).expand(*theta.shape, 2)
        context_BR, regime_BR = likeness_to_query(episodes)
        for step in range(episodes.scored_BRM.shape[1]):
            like = torch.stack([context_BR[:, step], regime_BR[:, step]], 1)[:, None].expand(-1, theta.shape[1], -1)
            theta, gate = self.step(theta, gate, episodes.support_BRM[:, step], episodes.scored_BRM[:, step], like)
        return theta

    def step(self, theta: Tensor, gate: Tensor, score: Tensor, scored: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """One round: the new state and the gates (B x M x 2) that made it."""
        gradient = theta - score
        known = torch.stack([squashed(gradient), torch.log1p(0.5 * gradient**2), squashed(theta)], -1)
        features = torch.cat([known, gate, scored[..., None].to(theta.dtype), like], -1)
        opened = torch.sigmoid(self.gates(features))
        moved = opened[..., 0] * theta - opened[..., 1] * gradient
        return torch.where(scored, moved, theta), torch.where(scored[..., None], opened, gate)


def squashed(values: Tensor) -> Tensor:
    """Sign and logarithm of the size: a score ten times as large must not open a gate ten times as wide."""
    return torch.sign(values) * torch.log1p(values.abs())


def likeness_to_query(episodes: Episodes) -> tuple[Tensor, Tensor]:
    """How near each support round's context is to the query's (0 to 1), and how likely both share a regime (B x R)."""
    distance_BR = ((episodes.context_BRC - episodes.query_context_BC[:, None]) ** 2).mean(-1)
    shared_BR = (episodes.belief_BRK * episodes.query_belief_BK[:, None]).sum(-1)
    return torch.exp(-0.5 * distance_BR), shared_BR


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("lstm", LearnedOptimizer, choose_device(device), CONFIG)
