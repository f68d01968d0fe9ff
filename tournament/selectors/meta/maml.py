"""MAML over rounds: parameters from which a few steps on the newest rounds' blends give the best blend of the query.

Source: Finn, Abbeel and Levine 2017, algorithm 1; its first-order form and the head-only form (Raghu et al. 2020) by
the config's variant.
"""

from __future__ import annotations

from tournament.gradient_learning import Inner
from tournament.selectors.meta.adaptation import Adapting, GradientLearner, adaptation_tasks
from tournament.selectors.meta.neural import choose_device
from tournament.selectors.meta.training import TrainingConfig

CONFIG = TrainingConfig(steps=40, learning_rate=5e-3, batch=8, check_every=20, patience=1)
INNER = Inner(steps=3, rate=0.1)


def build(device: str, inner: Inner = INNER) -> GradientLearner:
    """The selector for a device: cpu, cuda or auto. Raises BadConfig when cuda is missing."""
    return GradientLearner("maml", lambda: Adapting(inner), choose_device(device), CONFIG, adaptation_tasks)
