"""Whether this host can hold a hostile model: a worker tries to escape before it takes one, and believes only that."""

from __future__ import annotations

import json
import logging
import socket
import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from tournament.errors import BadModel
from tournament.hosted.formats import Format
from workers.sandbox import child, runner
from workers.sandbox.forking import fork_server_of
from workers.sandbox.limits import Limits, SandboxFault
from workers.sandbox.lockdown import OWN_ROOM

log = logging.getLogger(__name__)
FORKS, BYTES, MEMORY = 300, 1_000_000_000, 4_000_000_000
SLEEP_SECONDS, PATIENCE_SECONDS = 30.0, 1.0
NONE = "none"
HARMLESS = frozenset({*runner.SETTINGS, OWN_ROOM, "PWD"})
"""What a sandboxed process may find in its environment."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds a sandbox here, which attempts were made, and which of them got out or why none could be made."""

    level: str
    tried: tuple[str, ...] = ()
    escaped: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether untrusted models may run here."""
        return bool(self.tried) and not self.escaped and not self.reason


@lru_cache(maxsize=1)
def verdict() -> Verdict:
    """This host's verdict, found once in the life of a process."""
    try:
        found = try_to_escape()
    except (SandboxFault, BadModel, OSError) as fault:
        found = Verdict(NONE, reason=str(fault))
    log.log(logging.INFO if found.is_safe else logging.ERROR, "sandbox: %s", found)
    return found


def try_to_escape() -> Verdict:
    """Make every attempt in a sandbox of our own, in a fresh child and in a forked one; who gets out of either escapes.

    Raises SandboxFault or BadModel when none could be made.
    """
    with tempfile.TemporaryDirectory() as outside, socket.create_server(("127.0.0.1", 0)) as listening:
        secret = Path(outside) / "secret"
        secret.write_text("nobody in a sandbox reads this")
        Path(outside).chmod(0o777)
        secret.chmod(0o666)
        attempts = {"secret": str(secret), "port": listening.getsockname()[1], "forks": FORKS, "bytes": BYTES,
                    "memory": MEMORY}  # fmt: skip
        told, escaped = dict[str, list[str]](), dict[str, None]()
        for start in (runner.start_fresh, fork_server_of(Format.LIGHTGBM).start):
            told = _tell(attempts, Limits(), start)
            escaped |= dict.fromkeys([*told["escaped"], *_outlives_its_time(start), *_knows(told["environment"])])
    tried = (*map(str, told["tried"]), "outlive its time", "know its worker's settings")
    return Verdict(str(told["level"]), tried, tuple(map(str, escaped)))


def _knows(environment: list[str]) -> tuple[str, ...]:
    """What it found in its environment that it should not."""
    brought = [name for name in environment if name not in HARMLESS]
    return (f"know {', '.join(brought)}",) if brought else ()


def _outlives_its_time(start: runner.Start) -> tuple[str, ...]:
    """Whether a sandbox that sleeps is still there after its time."""
    end = _start({"sleep": SLEEP_SECONDS}, Limits(wall_seconds=PATIENCE_SECONDS), start)[0]
    return () if end.code is None and end.seconds < SLEEP_SECONDS / 2 else ("outlive its time",)


def _tell(attempts: dict[str, object], limits: Limits, start: runner.Start) -> dict[str, list[str]]:
    end, told = _start(attempts, limits, start)
    if end.code != 0 or not {"tried", "escaped", "environment", "level"} <= set(told):
        raise SandboxFault(f"the attempts to escape ended by {end.code} and could not be counted")
    return told


def _start(attempts: dict[str, object], limits: Limits, start: runner.Start) -> tuple[runner.End, dict[str, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="regatta-sandbox-") as made:
        folder = Path(made)
        (folder / child.JOB).write_text(json.dumps({"attempts": attempts, "limits": asdict(limits)}))
        for name in (child.MODEL, child.FEATURES):
            (folder / name).touch()
        end = start(folder, limits.wall_seconds)
        return end, {} if end.code is None else runner.judge(folder, end, limits)
