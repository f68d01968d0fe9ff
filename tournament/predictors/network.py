"""A small network over a cross-section's features, and the loss that stands for the tournament's corr.

Shape suffixes: B tasks (batch), S eras of a task, N places, F features.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from tournament.gradient_learning import Parameters
from tournament.predictors.eras import MISSING_BIN, Eras
from tournament.scoring.ranks import power_15

WIDTHS = (32, 16)
SMOOTHING = 0.03
"""Keeps the power 3/2 twice differentiable at 0, where second-order MAML would else divide by zero."""


class Sections(NamedTuple):
    """Cross-sections as a nest that torch.func maps over; places without a row have weight 0.

    Targets are powered, centred and of length one in each era, so that a dot with them is a correlation.
    """

    features_SNF: Tensor
    target_SN: Tensor
    weight_SN: Tensor

    def take(self, rows: Tensor, places: Tensor) -> Sections:
        """Some eras (any shape of rows), each on some of its places; targets are of length one again."""
        features, target, weight = (values[rows][..., places, :] if values.dim() == 3 else values[rows][..., places]
                                    for values in self)  # fmt: skip
        return Sections(features, _unit(target, weight), weight)


def sections(eras: Eras) -> Sections:
    """Eras as tensors. Features stay bytes: the network centres them."""
    known_EN = np.isfinite(eras.target_EN)
    count_E1 = np.maximum(known_EN.sum(axis=1, keepdims=True), 1)
    target_EN = np.where(known_EN, eras.target_EN, 0.0).astype(float)
    target_EN = power_15(np.where(known_EN, target_EN - target_EN.sum(axis=1, keepdims=True) / count_E1, 0.0))
    weight_SN = torch.from_numpy(known_EN.astype(np.float32))
    target_SN = _unit(torch.from_numpy(target_EN.astype(np.float32)), weight_SN)
    return Sections(torch.from_numpy(np.ascontiguousarray(eras.features_ENF)), target_SN, weight_SN)


def _unit(values: Tensor, weight: Tensor) -> Tensor:
    """Centred and of length one over the places that count; zeros where nothing varies."""
    mean = (values * weight).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True).clamp_min(1.0)
    centred = (values - mean) * weight
    return centred / ((centred**2).sum(-1, keepdim=True) + 1e-12).sqrt()


class FeatureNetwork(nn.Module):
    """Two hidden layers; the last layer is the head, small at first so that the first steps turn and do not swing."""

    def __init__(self, features: int) -> None:
        super().__init__()
        first, second = WIDTHS
        self.body = nn.Sequential(nn.Linear(features, first), nn.Tanh(), nn.Linear(first, second), nn.Tanh())
        self.head = nn.Linear(second, 1)

    def forward(self, features_SNF: Tensor) -> Tensor:
        """Values of the rows (S x N) from bins 0 to 4."""
        centred = (features_SNF.float() - MISSING_BIN) / 2.0
        return self.head(self.body(centred)).squeeze(-1)  # type: ignore[no-any-return]

    def parameters_by_name(self) -> Parameters:
        """The parameters as the inner steps take them."""
        return dict(self.named_parameters())

    def corr(self, parameters: Parameters, data: Sections) -> Tensor:
        """Soft corr of each era (S) under any parameters."""
        return soft_corr(functional_call(self, parameters, (data.features_SNF,)), data)

    def loss(self, parameters: Parameters, data: Sections) -> Tensor:
        """Negative mean soft corr over the eras."""
        return -self.corr(parameters, data).mean()


def soft_corr(values_SN: Tensor, data: Sections) -> Tensor:
    """Correlation of values, standardised and to the power 3/2, with the powered target, of each era (S).

    The tournament's corr ranks values to a Gaussian first; that is a standardisation where values are nearly
    Gaussian, and has no slope. Source: numerai-tools 0.7 `numerai_corr` for the powers; the smoothing is ours.
    """
    unit_SN = _unit(values_SN, data.weight_SN)
    z_SN = unit_SN * data.weight_SN.sum(-1, keepdim=True).sqrt()
    powered_SN = z_SN * (z_SN**2 + SMOOTHING) ** 0.25
    return (_unit(powered_SN, data.weight_SN) * data.target_SN).sum(-1)


def values_of(network: FeatureNetwork, features_NF: NDArray[np.int8]) -> NDArray[np.float64]:
    """The network's values of one cross-section (N)."""
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(np.ascontiguousarray(features_NF))).double().numpy())
