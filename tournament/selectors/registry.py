"""Every family by name. Families that need torch live in `meta` and are imported only when they are asked for."""

from __future__ import annotations

from importlib import import_module

from tournament.errors import BadConfig, Fault
from tournament.selectors.baselines import RULES, Baseline
from tournament.selectors.boosting import Fforma
from tournament.selectors.protocol import Selector
from tournament.selectors.regime_lookup import FITTERS, RegimeLookup

LIGHT = (*RULES, *FITTERS, "fforma")
NEURAL = {"set_attention": "tournament.selectors.meta.set_attention"}
NAMES = (*LIGHT, *NEURAL)


def make(name: str, *, device: str = "cpu") -> Selector:
    """A selector by name; `device` (auto, cpu, cuda) is for the neural ones. Raises BadConfig."""
    if name in RULES:
        return Baseline(name, RULES[name])
    if name in FITTERS:
        return RegimeLookup(name)
    if name == "fforma":
        return Fforma()
    if name in NEURAL:
        module = import_module(NEURAL[name])  # by name: whoever asks for no neural family loads no torch
        return module.build(device)  # type: ignore[no-any-return]
    raise BadConfig(Fault("unknown_selector", f"there is no selector {name!r}", f"known: {', '.join(NAMES)}"))
