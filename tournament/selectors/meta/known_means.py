"""What several networks start from: the mean scores that the tokens carry, mixed by learned shares.

Shape suffixes: B episodes, M models, T tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tournament.selectors.tokens import MEANS, TOKENS

LEAD = 2.0
"""Logit of the token that leads at the start; it then has a bit more than half of the mix."""


class KnownMeans(nn.Module):
    """A convex mix of each model's trailing, similar and regime means (B x M), led at first by one of them."""

    def __init__(self, first: str = "regime") -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.tensor([LEAD if name == first else 0.0 for name in TOKENS[:MEANS]]))

    def forward(self, token_BMT: Tensor) -> Tensor:
        """Mixed means, in the tokens' unit."""
        return token_BMT[..., :MEANS] @ torch.softmax(self.mix, 0)
