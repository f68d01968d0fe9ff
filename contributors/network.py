"""A small torch network for contributors who like one."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
import torch

Array = np.ndarray[Any, np.dtype[np.float64]]
TRAINING = Lock()
"""One network at a time: weights and dropout are drawn from the one generator of the process."""


class TorchMLP:
    """Two hidden layers, trained on the mean squared error; `fit` and `predict` as in scikit-learn."""

    def __init__(self, hidden: int = 32, epochs: int = 12, seed: int = 0) -> None:
        self.hidden, self.epochs, self.seed = hidden, epochs, seed
        self.layers: torch.nn.Module | None = None

    def fit(self, features: Array, target: Array) -> TorchMLP:
        """Adam with weight decay over shuffled batches of 512 rows; the same whatever else the process trains."""
        with TRAINING:
            return self._fit(features, target)

    def _fit(self, features: Array, target: Array) -> TorchMLP:
        generator = torch.Generator().manual_seed(self.seed)
        torch.manual_seed(self.seed)
        width = features.shape[1]
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, self.hidden), torch.nn.SiLU(), torch.nn.Dropout(0.2),
            torch.nn.Linear(self.hidden, self.hidden), torch.nn.SiLU(), torch.nn.Linear(self.hidden, 1),
        )  # fmt: skip
        inputs, targets = torch.tensor(features, dtype=torch.float32), torch.tensor(target, dtype=torch.float32)
        optimizer = torch.optim.AdamW(self.layers.parameters(), lr=2e-3, weight_decay=1e-2)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(inputs), generator=generator).split(512):
                loss = torch.nn.functional.mse_loss(self.layers(inputs[rows]).squeeze(1), targets[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        self.layers.eval()
        return self

    def predict(self, features: Array) -> Array:
        """One value a row."""
        if self.layers is None:
            raise RuntimeError("fit the network before asking it to predict")
        with torch.no_grad():
            return self.layers(torch.tensor(features, dtype=torch.float32)).squeeze(1).double().numpy()
