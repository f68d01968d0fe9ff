"""A prototype for each regime, in a learned space of market contexts and score patterns; the query joins the nearest.

Shape suffixes: B episodes, R support rounds, M models, K regimes, C context columns, D width.
A round's embedding is its context's, column by column, beside its score vector. The prototype of a regime is the mean
embedding of the support rounds, weighted by the belief in the regime when each of them opened. The query belongs to
regimes by

    p_k  ~  belief_k^a  exp(-|context - c_k|^2  -  b |pattern - m_k|^2),

with the scores of the newest known rounds as its pattern, since its own come later; its expected score is the mean of
the regimes' mean scores under p. Source: Snell, Swersky and Zemel 2017, section 2.2, equations 1 and 2; the prior by
the weather's belief, shrunk means, and the pattern's part are ours.

Its means see the episode's newest 128 rounds alone, about 30 a regime, where the lookup of regimes sees all: with 512
rounds in the episode the untrained prototypes gain three points of the gap to informed Bayes (worlds 102-107).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from tournament.selectors.meta.columns import ColumnEmbedding
from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Episodes, TrainingConfig

CONFIG = TrainingConfig(steps=100, learning_rate=1e-2, batch=32, check_every=20, patience=2)
SHRINK = 150.0
"""Known means count as so many rounds. A score's variance is 15 to 20 times that of a regime's mean in the worlds,
neighbouring rounds share most of their target, and the known means have seen the same rounds already: with 60, worlds
102-107 lose three points of the gap to informed Bayes."""


class Prototypes(nn.Module):
    """Episodes to expected scores by nearness to the regimes' prototypes."""

    def __init__(self) -> None:
        super().__init__()
        self.known = KnownMeans()
        self.columns = ColumnEmbedding(0.3)
        self.belief_power = nn.Parameter(torch.tensor(0.5))
        self.pattern_power = nn.Parameter(torch.tensor(-2.0))
        self.pattern_life = nn.Parameter(torch.tensor(4.0))
        self.log_shrink = nn.Parameter(torch.tensor(SHRINK).log())

    def forward(self, episodes: Episodes) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        mean_BKM = self.regime_scores(episodes)
        return torch.einsum("bk,bkm->bm", self.membership(episodes, mean_BKM), mean_BKM)

    def regime_scores(self, episodes: Episodes) -> Tensor:
        """Belief-weighted mean scores, shrunk to the known means (B x K x M)."""
        weight = episodes.belief_BRK.transpose(1, 2)
        shrink, known_BM = self.log_shrink.exp(), self.known(episodes.token_BMT)
        total_BKM = weight @ episodes.support_BRM + shrink * known_BM[:, None]
        return total_BKM / (weight @ episodes.scored_BRM.to(weight.dtype) + shrink)

    def membership(self, episodes: Episodes, mean_BKM: Tensor) -> Tensor:
        """Probability of each regime for the query (B x K)."""
        prior = softplus(self.belief_power) * torch.log(episodes.query_belief_BK.clamp_min(1e-4))
        distance = self.context_distances(episodes)
        pattern = softplus(self.pattern_power) * self.pattern_distances(episodes, mean_BKM)
        return torch.softmax(prior - distance - pattern, 1)

    def context_distances(self, episodes: Episodes) -> Tensor:
        """Squared distance of the query's embedded context to each regime's prototype (B x K)."""
        prototype = regime_means(self.columns(episodes.context_BRC).flatten(2), episodes.belief_BRK)
        query = self.columns(episodes.query_context_BC).flatten(1)
        return ((query[:, None] - prototype) ** 2).sum(-1)

    def pattern_distances(self, episodes: Episodes, mean_BKM: Tensor) -> Tensor:
        """Mean squared distance of the newest rounds' scores to each regime's, over models scored there (B x K).

        Copies count as one model.
        """
        age_BR = (episodes.age_BR - newest_age(episodes)).clamp_min(0.0)
        weight_BR = torch.exp(-age_BR / (1.0 + softplus(self.pattern_life))) * episodes.known_BR
        count_BM = torch.einsum("br,brm->bm", weight_BR, episodes.scored_BRM.to(weight_BR.dtype))
        pattern_BM = torch.einsum("br,brm->bm", weight_BR, episodes.support_BRM) / count_BM.clamp_min(1e-6)
        share_BM = count_BM / episodes.copies_BM
        apart_BKM = (pattern_BM[:, None] - mean_BKM) ** 2 * share_BM[:, None]
        return apart_BKM.sum(-1) / share_BM.sum(-1, keepdim=True).clamp_min(1e-6)


def regime_means(value_BRD: Tensor, belief_BRK: Tensor) -> Tensor:
    """Belief-weighted mean of the rounds' values for each regime (B x K x D)."""
    weight_BKR = belief_BRK.transpose(1, 2)
    return weight_BKR @ value_BRD / weight_BKR.sum(-1, keepdim=True).clamp_min(1e-6)


def newest_age(episodes: Episodes) -> Tensor:
    """Age of the newest known round (B x 1), in rounds: targets that take longer make all rounds older."""
    age_BR = torch.where(episodes.known_BR, episodes.age_BR, torch.full_like(episodes.age_BR, 1e9))
    return age_BR.amin(1, keepdim=True)


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("prototype", Prototypes, choose_device(device), CONFIG)
