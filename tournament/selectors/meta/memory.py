"""An external memory of score vectors, addressed by the market's context: written as rounds resolve, read by the query.

Shape suffixes: B episodes, R support rounds (oldest first), N slots, D key width, M models, C columns, K regimes.
A round's key is its context's embedding beside its beliefs in the regimes, of length one. When the round resolves the
memory is read by its key; then key and scores are written partly to the slots that were just read, partly to the least
used one, which is wiped first. A slot's value is a sum of score vectors and of how often each model was scored, so
reading gives a mean per model, whatever the number of models. Source: Santoro et al. 2016, section 3.2, equations 5 to
8 (least recently used access); values that are not keys, and shrinkage of what is read to known means, are ours.

It adds next to nothing to the known means it shrinks to: one context tells little of its regime, and an address by one
context averages over rounds of all of them; the filtered beliefs in the key carry what there is.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot, softplus

from tournament.selectors.meta.columns import ColumnEmbedding
from tournament.selectors.meta.known_means import KnownMeans
from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Episodes, TrainingConfig

CONFIG = TrainingConfig(steps=40, learning_rate=1e-2, batch=16, check_every=20, patience=2)
SLOTS = 24
SHRINK = 150.0
"""Known means count as so many rounds. A score's variance is 15 to 20 times that of a regime's mean in the worlds,
neighbouring rounds share most of their target, and the known means have seen the same rounds already: with 60, worlds
102-107 lose one point of the gap to informed Bayes."""
USAGE_DECAY = 0.95
"""Share of a slot's usage left after a round: unused for 45 rounds, a tenth."""


class Slots(NamedTuple):
    """The memory: keys, sums of scores, how often scored (all by slot), and how much each slot was used of late."""

    key_BND: Tensor
    sum_BNM: Tensor
    count_BNM: Tensor
    usage_BN: Tensor


class Memory(nn.Module):
    """Episodes to expected scores by what the query's context calls up."""

    def __init__(self) -> None:
        super().__init__()
        self.known = KnownMeans()
        self.columns = ColumnEmbedding()
        self.belief_scale = nn.Parameter(torch.tensor(2.0))
        self.sharpness = nn.Parameter(torch.tensor(8.0))
        self.to_read = nn.Parameter(torch.tensor(0.0))
        self.log_shrink = nn.Parameter(torch.tensor(SHRINK).log())

    def forward(self, episodes: Episodes) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        key_BRD = self.keys(episodes.context_BRC, episodes.belief_BRK)
        slots = empty(len(episodes), SLOTS, key_BRD.shape[-1], episodes.active_BM.shape[1], like=key_BRD)
        for step in range(key_BRD.shape[1]):
            scored = episodes.scored_BRM[:, step].to(key_BRD.dtype)
            slots = self.write(slots, key_BRD[:, step], episodes.support_BRM[:, step], scored)
        query_BD = self.keys(episodes.query_context_BC, episodes.query_belief_BK)
        return self.read(slots, query_BD, self.known(episodes.token_BMT))

    def keys(self, context: Tensor, belief: Tensor) -> Tensor:
        """Keys of length one from contexts (... x C) and beliefs (... x K)."""
        return normalize(torch.cat([self.columns.pooled(context), self.belief_scale * belief], -1), dim=-1)

    def address(self, slots: Slots, key_BD: Tensor) -> Tensor:
        """Read weights (B x N): softmax of sharpened cosine similarity; an empty slot has similarity zero."""
        similarity_BN = torch.einsum("bnd,bd->bn", normalize(slots.key_BND, dim=-1, eps=1e-6), key_BD)
        return torch.softmax(softplus(self.sharpness) * similarity_BN, 1)

    def write(self, slots: Slots, key_BD: Tensor, score_BM: Tensor, scored_BM: Tensor) -> Slots:
        """The memory after one resolved round; a round without any score leaves it as it was."""
        happened_B1 = scored_BM.amax(1, keepdim=True)
        least_BN = one_hot(slots.usage_BN.argmin(1), slots.usage_BN.shape[1]) * happened_B1
        read_BN = self.address(slots, key_BD) * happened_B1
        share = torch.sigmoid(self.to_read)
        written_BN = share * read_BN + (1.0 - share) * least_BN
        kept_BN1, put_BN1 = (1.0 - least_BN)[..., None], written_BN[..., None]
        decay_B1 = 1.0 - (1.0 - USAGE_DECAY) * happened_B1
        return Slots(
            slots.key_BND * kept_BN1 + put_BN1 * key_BD[:, None],
            slots.sum_BNM * kept_BN1 + put_BN1 * (score_BM * scored_BM)[:, None],
            slots.count_BNM * kept_BN1 + put_BN1 * scored_BM[:, None],
            slots.usage_BN * decay_B1 + read_BN + written_BN,
        )

    def read(self, slots: Slots, query_BD: Tensor, known_BM: Tensor) -> Tensor:
        """Mean score of each model in the slots that the query calls up, shrunk to the known means (B x M)."""
        weight_BN = self.address(slots, query_BD)
        weight_BN = weight_BN / weight_BN.amax(1, keepdim=True)
        sum_BM = torch.einsum("bn,bnm->bm", weight_BN, slots.sum_BNM)
        count_BM = torch.einsum("bn,bnm->bm", weight_BN, slots.count_BNM)
        shrink = self.log_shrink.exp()
        return (sum_BM + shrink * known_BM) / (count_BM + shrink)


def empty(episodes: int, slots: int, width: int, models: int, *, like: Tensor) -> Slots:
    """A memory in which nothing was written; the slots' usage falls, so that they are filled in order."""
    usage_BN = -torch.arange(slots, 0.0, -1.0).expand(episodes, -1) * 1e-6
    values = like.new_zeros(episodes, slots, models)
    return Slots(like.new_zeros(episodes, slots, width), values, values, usage_BN.to(like))


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("memory", Memory, choose_device(device), CONFIG)
