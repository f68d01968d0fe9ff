"""Every family by name. Families that need torch live in `meta` and are imported only when they are asked for."""

from __future__ import annotations

from importlib import import_module

from tournament.errors import BadConfig, Fault
from tournament.selectors.baselines import RULES, Baseline
from tournament.selectors.boa import Boa
from tournament.selectors.boosting import Fforma
from tournament.selectors.committee import Committee
from tournament.selectors.kernel import Kernel
from tournament.selectors.protocol import Selector
from tournament.selectors.regime_lookup import FITTERS, RegimeLookup
from tournament.selectors.sketch import EXACT_MODELS

OTHERS: dict[str, type] = {"boa": Boa, "kernel": Kernel, "fforma": Fforma, "committee": Committee}
META = "tournament.selectors.meta"
NEURAL = {
    "prototype": f"{META}.prototype",
    "lstm": f"{META}.lstm",
    "memory": f"{META}.memory",
    "maml": f"{META}.maml",
    "reptile": f"{META}.reptile",
    "set_attention": f"{META}.set_attention",
    "pretrained": f"{META}.pretrained",
    "policy": f"{META}.policy",
}
ORDER = (
    "equal", "stake", "trailing", "best_single", "inverse_variance", "greedy", "ridge", "hedge", "fixed_share", "boa",
    "bma", "hmm", "jump", "gmm", "prototype", "kernel", "fforma", "lstm", "memory", "maml", "reptile", "set_attention",
    "pretrained", "policy", "committee",
)  # fmt: skip
LIGHT = tuple(name for name in ORDER if name in {*RULES, *FITTERS, *OTHERS})
NAMES = tuple(name for name in ORDER if name in {*LIGHT, *NEURAL})
SERVED = (
    "equal", "stake", "trailing", "best_single", "inverse_variance", "greedy", "ridge", "hedge", "fixed_share", "hmm",
    "jump", "kernel", "fforma", "set_attention", "pretrained",
)  # fmt: skip
"""Families that weigh every round of a site: quick to train and to ask, and no two near copies."""


SKETCHED = (
    "equal", "stake", "trailing", "best_single", "inverse_variance", "greedy", "ridge", "hedge", "fixed_share", "hmm",
    "jump", "pretrained",
)  # fmt: skip
"""Those of them that weigh by a sketch of how alike the models are."""


def served(models: int) -> tuple[str, ...]:
    """Families that weigh a site's tournament of so many models."""
    return SERVED if models <= EXACT_MODELS else SKETCHED


def make(name: str, *, device: str = "cpu") -> Selector:
    """A selector by name; `device` (auto, cpu, cuda) is for the neural ones. Raises BadConfig."""
    if name in RULES:
        return Baseline(name, RULES[name])
    if name in FITTERS:
        return RegimeLookup(name)
    if name in OTHERS:
        return OTHERS[name]()  # type: ignore[no-any-return]
    if name in NEURAL:
        module = import_module(NEURAL[name])  # by name: whoever asks for no neural family loads no torch
        return module.build(device)  # type: ignore[no-any-return]
    raise BadConfig(Fault("unknown_selector", f"there is no selector {name!r}", f"known: {', '.join(NAMES)}"))
