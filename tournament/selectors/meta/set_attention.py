"""Attention over the set of models: what is known of every model, seen beside all others, to its expected score.

Shape suffixes: B episodes, M models, T tokens, D width. It starts as the regime-conditional mean score, and stays there
unless learning helps. Source: ours, after Lee et al. 2019 (set transformer) and the FFORMA idea of training on the
blend's loss (Montero-Manso et al. 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Episodes
from tournament.selectors.tokens import MEANS, TOKENS

WIDTH, HEADS = 32, 4


class ScoreNetwork(nn.Module):
    """Tokens of a set of models to their expected scores; equivariant in the models, and copies count as one."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([2.0 if name == "regime" else 0.0 for name in TOKENS[:MEANS]]))
        self.embed = nn.Sequential(nn.Linear(len(TOKENS), WIDTH), nn.GELU())
        self.attend = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1))
        self.gain = nn.Parameter(torch.tensor(0.1))

    def forward(self, episodes: Episodes) -> Tensor:
        """Expected scores (B x M), in units of 1 / SCALE."""
        known = episodes.token_BMT[..., :MEANS] @ torch.softmax(self.mix, 0)
        hidden = self.embed(episodes.token_BMT)
        attended, _ = self.attend(hidden, hidden, hidden, key_padding_mask=seen(episodes), need_weights=False)
        learned = self.head(self.norm(hidden + attended)).squeeze(-1)
        return known + self.gain * learned


def seen(episodes: Episodes) -> Tensor:
    """What attention adds to its logits (B x M): absent models are not seen at all, c copies as one between them."""
    bias_BM = -torch.log(episodes.copies_BM)
    return bias_BM.masked_fill(~episodes.active_BM, -1e9)


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("set_attention", ScoreNetwork, choose_device(device))
