"""Attention over many models, without a table of all pairs, is the attention that was trained."""

import pytest
import torch

from tournament.selectors.meta import set_attention
from tournament.selectors.meta.set_attention import WIDTH, ScoreNetwork


@pytest.mark.parametrize("batch", [1, 3])
def test_many_models_are_attended_to_as_few_are(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    torch.manual_seed(0)
    network = ScoreNetwork().eval()
    hidden = 3.0 * torch.randn(batch, 260, WIDTH)
    bias = -torch.log(torch.randint(1, 9, (batch, 260)).float()).masked_fill(torch.rand(batch, 260) < 0.2, -1e9)

    with torch.inference_mode():
        quick = network._attended(hidden, bias)
        monkeypatch.setattr(set_attention, "FEW", 1_000)
        plain = network._attended(hidden, bias)

    assert torch.allclose(quick, plain, atol=2e-5)
    assert plain.abs().max() > 0.1
