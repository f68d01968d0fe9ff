"""Attention over the set of models: what is known of every model, seen beside all others, to its expected score.

Shape suffixes: B episodes, M models, T tokens, D width. It starts as the regime-conditional mean score, and stays there
unless learning helps. Source: ours, after Lee et al. 2019 (set transformer) and the FFORMA idea of training on the
blend's loss (Montero-Manso et al. 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tournament.selectors.meta.neural import Neural, choose_device
from tournament.selectors.meta.training import Episodes
from tournament.selectors.tokens import MEANS, TOKENS

WIDTH, HEADS = 32, 4
FEW = 200
"""Models up to which attention holds a table of all pairs."""


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
        learned = self.head(self.norm(hidden + self._attended(hidden, seen(episodes)))).squeeze(-1)
        return known + self.gain * learned

    def _attended(self, hidden_BMD: Tensor, bias_BM: Tensor) -> Tensor:
        """Every model's view of all others (B x M x D).

        Serving many models, what the mask would add is one more entry of the keys, read by a one in every question: so
        no table of all pairs is ever held, and it takes half the time.
        """
        if self.training or hidden_BMD.shape[1] <= FEW:
            return self.attend(hidden_BMD, hidden_BMD, hidden_BMD, key_padding_mask=bias_BM, need_weights=False)[0]
        batch, models, width = hidden_BMD.shape
        size = width // HEADS
        projected = functional.linear(hidden_BMD, self.attend.in_proj_weight, self.attend.in_proj_bias)
        query, key, value = projected.view(batch, models, 3, HEADS, size).permute(2, 0, 3, 1, 4)
        wide = (0, size)  # heads of twice the size, the new entries zero: a size that the processor likes
        query, key, value = (functional.pad(part, wide) for part in (query, key, value))
        query[..., size], key[..., size] = 1.0, bias_BM[:, None] * size**0.5
        found = functional.scaled_dot_product_attention(query, key, value, scale=size**-0.5)[..., :size]
        return torch.as_tensor(self.attend.out_proj(found.transpose(1, 2).reshape(batch, models, width)))


def seen(episodes: Episodes) -> Tensor:
    """What attention adds to its logits (B x M): absent models are not seen at all, c copies as one between them."""
    bias_BM = -torch.log(episodes.copies_BM)
    return bias_BM.masked_fill(~episodes.active_BM, -1e9)


def build(device: str) -> Neural:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return Neural("set_attention", ScoreNetwork, choose_device(device))
