"""Bubblewrap, where a host has it and lets it work: namespaces of its own around the sandboxed child."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from workers.sandbox.limits import NOBODY
from workers.sandbox.lockdown import OWN_ROOM

ROOT = Path(__file__).resolve().parent.parent.parent
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
TRIAL_SECONDS = 10


def enclosed(command: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """The command within a room of its own that shows the programs and one folder; the command itself without it."""
    program = shutil.which("bwrap")
    return command if program is None or not _works(program) else [*_room(program, folder, environment), *command]


def is_offered() -> bool:
    """Whether bubblewrap is there and works."""
    program = shutil.which("bwrap")
    return program is not None and _works(program)


@lru_cache(maxsize=1)
def _works(program: str) -> bool:
    """Whether the host lets bubblewrap make namespaces; many containers do not."""
    trial = [*_room(program, Path("/usr"), {}), sys.executable, "-s", "-P", "-c", ""]
    try:
        return subprocess.run(trial, capture_output=True, check=False, timeout=TRIAL_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _room(program: str, folder: Path, environment: dict[str, str]) -> list[str]:
    shown = dict.fromkeys((*SYSTEM, sys.prefix, sys.base_prefix, str(ROOT / "tournament"), str(ROOT / "workers")))
    shown |= dict.fromkeys(str(Path(place)) for place in _packages())
    views = [word for path in shown if Path(path).exists() for word in ("--ro-bind", path, path)]
    settings = [word for name, value in (environment | {OWN_ROOM: "1"}).items() for word in ("--setenv", name, value)]
    return [
        program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--uid", str(NOBODY), "--gid",
        str(NOBODY), *views, "--proc", "/proc", "--dev", "/dev", "--bind", str(folder), str(folder), "--chdir",
        str(folder), *settings, "--",
    ]  # fmt: skip


def _packages() -> list[str]:
    """Folders of the packages that readers load, should they lie outside the interpreter's own."""
    found = (find_spec(name) for name in ("numpy", "lightgbm", "onnx", "onnxruntime"))
    return [place for spec in found if spec is not None for place in spec.submodule_search_locations or ()]
