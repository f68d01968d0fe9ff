"""Every predictor by name. LightGBM and torch are loaded only when a predictor is asked for."""

from __future__ import annotations

from importlib import import_module

from tournament.errors import BadConfig, Fault
from tournament.predictors.protocol import Predictor
from tournament.rules import Rules

MODULES = {"lightgbm": "boosting", "mlp": "neural", "maml": "neural", "reptile": "neural"}
NAMES = tuple(MODULES)
SUPPORT = 12
"""Newest resolved eras that the fine-tuning reads."""
ABOUT = {
    "lightgbm": "The platform's benchmark: LightGBM on all features, trained anew every two years or so.",
    "mlp": "The platform's benchmark: a small network on all features, fine-tuned each round on the newest targets.",
    "maml": "The platform's benchmark: a small network, meta-trained by MAML to adapt, fine-tuned each round.",
    "reptile": "The platform's benchmark: a small network, meta-trained by Reptile to adapt, fine-tuned each round.",
}


def make(name: str, rules: Rules | None = None) -> Predictor:
    """A predictor by name, for a tournament of these rules (by default the usual ones). Raises BadConfig."""
    if name not in MODULES:
        raise BadConfig(Fault("unknown_predictor", f"there is no predictor {name!r}", f"known: {', '.join(NAMES)}"))
    module = import_module(f"tournament.predictors.{MODULES[name]}")  # by name: the site loads no torch
    return module.build(name, Rules() if rules is None else rules)  # type: ignore[no-any-return]
