"""Which code a family is: a mark of its module and of all that this imports here, so that a state can say what made it.

The sources are read, nothing is imported: whoever asks about a neural family loads no torch.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "tournament"
UNKNOWN = "unknown"
"""What a state has in place of a mark when it was stored before states had one."""
APART = "tournament.selectors.explanation"
"""Says why weights are what they are, and changes none."""
ELSEWHERE = {"fforma": "boosting", "hmm": "regime_lookup", "jump": "regime_lookup", "gmm": "regime_lookup"}
"""Families whose module has another name; those without any module of their own are rules among the baselines."""


@lru_cache(maxsize=64)
def code_hash(family: str) -> str:
    """A mark (sha256) of the sources that define a family."""
    sources = dict[str, bytes]()
    waiting = [_module_of(family)]
    while waiting:
        name = waiting.pop()
        if name in sources or name.startswith(APART):
            continue
        sources[name] = _file(name).read_bytes()
        waiting += _imports(sources[name])
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name} {len(sources[name])}\n".encode() + sources[name])
    return digest.hexdigest()


def warning(family: str, code: str) -> str:
    """What a reader of a state should know of the code that made it; empty when it is today's."""
    if code == UNKNOWN:
        return "It does not say which code made it: it was stored before states did."
    now = code_hash(family)
    if code in ("", now):
        return ""
    return f"Made by other code ({code[:8]}, today's is {now[:8]}): it may weigh otherwise than it was judged by."


def _module_of(family: str) -> str:
    for place in (f"selectors.meta.{family}", f"selectors.{ELSEWHERE.get(family, family)}"):
        if _file(f"{PACKAGE}.{place}").exists():
            return f"{PACKAGE}.{place}"
    return f"{PACKAGE}.selectors.baselines"


def _file(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def _imports(source: bytes) -> list[str]:
    """Modules of ours that a source imports, by their full names."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            found += [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
    return [name for name in found if _file(name).exists()]
