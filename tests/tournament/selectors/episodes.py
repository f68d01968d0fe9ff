"""Small hand-made episodes for the networks of the neural families.

Shape suffixes: B episodes (one here), R support rounds, M models, C context columns, K regimes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tournament.selectors.meta.training import Episodes
from tournament.selectors.tokens import TOKENS


def episode(
    support_RM: Tensor,
    context_RC: Tensor,
    query_context_C: Tensor,
    *,
    belief_RK: Tensor | None = None,
    query_belief_K: Tensor | None = None,
) -> Episodes:
    """One episode of all rounds known, NaN where a model was not scored; tokens are zeros, models are unlike."""
    rounds, models = support_RM.shape
    scored = torch.isfinite(support_RM)
    beliefs = torch.ones(rounds, 1) if belief_RK is None else belief_RK
    query_beliefs = torch.ones(1) if query_belief_K is None else query_belief_K
    parts = (
        torch.zeros(models, len(TOKENS)), torch.ones(models, dtype=torch.bool), torch.zeros(models), torch.eye(models),
        torch.ones(models), torch.nan_to_num(support_RM), scored, torch.ones(rounds, dtype=torch.bool),
        torch.arange(rounds, 0.0, -1.0), context_RC, query_context_C, beliefs, query_beliefs,
    )  # fmt: skip
    return Episodes(*(part[None] for part in parts))
