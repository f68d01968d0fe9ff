"""Embedding of a market context of any number of columns, each by the same small network.

Shape suffixes: C context columns, D width. Tournaments differ in their columns, and a learned state must serve all of
them, so no weight may belong to one column: shared weights act on each value, and a projection would not carry over.
The price: which column matters cannot be stored. A column that tells the regimes nothing has the same mean in all of
them, so it moves all distances to regime means alike and needs no weight of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTH, HIDDEN = 4, 8


class ColumnEmbedding(nn.Module):
    """Values of context columns (... x C) to their embeddings (... x C x D): a line and a small net, shared."""

    def __init__(self, scale: float = 0.5) -> None:
        super().__init__()
        line = torch.zeros(1, WIDTH)
        line[0, 0] = scale
        self.line = nn.Parameter(line)
        self.bend = nn.Sequential(nn.Linear(1, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, WIDTH))
        self.gain = nn.Parameter(torch.tensor(0.1))

    def forward(self, context: Tensor) -> Tensor:
        """Embeddings by column."""
        value = context[..., None]
        return value * self.line[0] + self.gain * self.bend(value)

    def pooled(self, context: Tensor) -> Tensor:
        """Embeddings of all columns side by side (... x CD), scaled by the root of their number."""
        columns = max(1, context.shape[-1])
        return self.forward(context).flatten(-2) / columns**0.5
