"""How the demonstration's contributors predict: simple, various, and learned from the train file alone.

A strategy is fitted once on the tournament's train file and then ranks each live cross-section.
Features arrive as 0..4 with 2 for missing, so they are centred by taking 2 off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

Array = np.ndarray[Any, np.dtype[np.float64]]
MIDDLE_BIN = 2.0


@dataclass(frozen=True, slots=True)
class Training:
    """What a contributor downloaded: centred features (rows x features), targets and eras of each row."""

    features: Array
    targets: dict[str, Array]
    eras: Array
    groups: dict[str, list[int]]

    @classmethod
    def read(cls, frame: pd.DataFrame, description: dict[str, Any]) -> Training:
        """Take the rows whose target is known from a train file and its features.json."""
        names = list(description["features"])
        frame = frame[frame["target"].notna()]
        groups: dict[str, list[int]] = {}
        for group, members in description["groups"].items():
            groups[group] = [names.index(name) for name in members if name in names]
        targets = {name: frame[name].to_numpy(float) - 0.5 for name in frame.columns if name.startswith("target")}
        return cls(centred(frame, names), targets, frame["era"].astype(int).to_numpy(), groups)


def centred(frame: pd.DataFrame, names: list[str]) -> Array:
    """Features of a file, centred on the middle bin (rows x features)."""
    return frame[names].to_numpy(np.float64) - MIDDLE_BIN


class Strategy(Protocol):
    """Fitted once, then asked each round; higher values mean a higher expected target."""

    def fit(self, training: Training) -> None:
        """Learn from the train file."""

    def predict(self, features: Array, number: int) -> Array:
        """Value each row of a live cross-section (rows x features) of round `number`."""


@dataclass
class Style:
    """The mean of a few feature groups, each turned the way that paid in the train file."""

    groups: dict[str, float]
    weights: Array = field(default_factory=lambda: np.zeros(0))

    def fit(self, training: Training) -> None:
        """Sign of each feature's covariance with the target; the groups' own weights stay as given."""
        payoff = training.features.T @ training.targets["target"]
        self.weights = np.zeros(training.features.shape[1])
        for group, weight in self.groups.items():
            members = training.groups.get(group, [])
            if members:
                self.weights[members] += weight * np.sign(payoff[members]) / len(members)

    def predict(self, features: Array, number: int) -> Array:
        """A fixed linear score."""
        return np.asarray(features @ self.weights)


@dataclass
class Learned:
    """Any scikit-learn style regressor on (a part of) the features."""

    make: Callable[[], Any]
    target: str = "target"
    groups: tuple[str, ...] = ()
    rows: int | None = None
    columns: list[int] = field(default_factory=list)
    model: Any = None

    def fit(self, training: Training) -> None:
        """Fit on the newest `rows` rows (all when None)."""
        every = list(range(training.features.shape[1]))
        chosen = [index for group in self.groups for index in training.groups.get(group, [])]
        self.columns = sorted(chosen) or every
        name = self.target if self.target in training.targets else "target"
        last = slice(-self.rows, None) if self.rows else slice(None)
        self.model = self.make().fit(training.features[last][:, self.columns], training.targets[name][last])

    def predict(self, features: Array, number: int) -> Array:
        """The regressor's own prediction."""
        return np.asarray(self.model.predict(features[:, self.columns]), dtype=float).ravel()


@dataclass
class Specialist:
    """A strategy for one kind of weather: eras of the train file are clustered by which features paid in them."""

    inner: Strategy
    cluster: int
    clusters: int = 4

    def fit(self, training: Training) -> None:
        """Fit on the eras of one cluster; clusters are numbered by size, the largest first."""
        eras, place = np.unique(training.eras, return_inverse=True)
        payoff = np.zeros((len(eras), training.features.shape[1]))
        np.add.at(payoff, place, training.features * training.targets["target"][:, None])
        payoff /= np.bincount(place)[:, None]
        labels = KMeans(self.clusters, n_init=4, random_state=0).fit_predict(payoff)
        largest = np.argsort(-np.bincount(labels, minlength=self.clusters), kind="stable")
        rows = labels[place] == largest[self.cluster]
        targets = {name: values[rows] for name, values in training.targets.items()}
        self.inner.fit(Training(training.features[rows], targets, training.eras[rows], training.groups))

    def predict(self, features: Array, number: int) -> Array:
        """The inner strategy's values."""
        return self.inner.predict(features, number)


@dataclass
class Noise:
    """Nothing at all, drawn anew each round."""

    seed: int

    def fit(self, training: Training) -> None:
        """There is nothing to learn."""

    def predict(self, features: Array, number: int) -> Array:
        """Standard normal draws, the same for the same round."""
        return np.random.default_rng((self.seed, number)).standard_normal(len(features))


@dataclass
class Decaying:
    """A good strategy that loses its skill: noise takes over with a half-life counted in rounds."""

    inner: Strategy
    half_life: float
    seed: int

    def fit(self, training: Training) -> None:
        """Fit what decays."""
        self.inner.fit(training)

    def predict(self, features: Array, number: int) -> Array:
        """The inner strategy's standardised value, mixed with noise."""
        skill = 0.5 ** ((number - 1) / self.half_life)
        signal = self.inner.predict(features, number)
        signal = (signal - signal.mean()) / (signal.std() + 1e-12)
        noise = Noise(self.seed).predict(features, number)
        return skill * signal + np.sqrt(1.0 - skill**2) * noise


@dataclass
class Perturbed:
    """A near copy of another strategy: the same values with a little noise."""

    inner: Strategy
    noise: float
    seed: int

    def fit(self, training: Training) -> None:
        """Fit what is copied."""
        self.inner.fit(training)

    def predict(self, features: Array, number: int) -> Array:
        """The copied values, slightly moved."""
        signal = self.inner.predict(features, number)
        return signal + self.noise * signal.std() * Noise(self.seed).predict(features, number)


def uniform_ranks(values: Array) -> Array:
    """Values as ranks strictly between 0 and 1, ties in row order."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = (np.arange(len(values)) + 0.5) / len(values)
    return ranks
