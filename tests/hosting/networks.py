"""The platform's architectures in torch, which evaluate the same weights in its own way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import safetensors.torch
import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "silu": nn.SiLU}


def mlp(widths: Sequence[int], activation: str) -> tuple[nn.Module, bytes]:
    """Linear layers with an activation between, and their file."""
    torch.manual_seed(0)
    layers = [nn.Linear(into, out) for into, out in pairwise(widths)]
    between = [part for layer in layers for part in (layer, ACTIVATIONS[activation]())][:-1]
    weights = {f"layers.{k}.{name}": w for k, layer in enumerate(layers) for name, w in layer.state_dict().items()}
    config = {"architecture": "mlp", "activation": activation, "features": widths[0]}
    return nn.Sequential(*between), _file(weights, config)


class Tokens(nn.Module):
    """A token for each feature."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.randn(features, width)) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, None] * self.weight + self.bias


class Transformer(nn.Module):
    """Tokens, encoder layers with the norm first, their mean, one value."""

    def __init__(self, features: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.tokens = Tokens(features, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.tokens(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x.mean(dim=1)))


def transformer(names: Sequence[str]) -> tuple[nn.Module, bytes]:
    """A small transformer over named features, and its file."""
    torch.manual_seed(0)
    made = Transformer(len(names), 8, 2, 2).eval()
    config = {"architecture": "transformer", "activation": "gelu", "heads": 2, "features": list(names)}
    return made, _file(made.state_dict(), config)


def _file(weights: dict[str, torch.Tensor], config: dict[str, object]) -> bytes:
    return bytes(safetensors.torch.save(weights, metadata={"regatta": json.dumps(config)}))
