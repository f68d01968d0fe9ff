"""Run a model file on features in a sandboxed child, and judge what came back.

The child leads a session of its own in an empty folder, with no environment but a few settings; the clock is watched
from here, and what is left of it is killed. Nothing that it says is believed: sizes and numbers are checked again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault, printable
from tournament.hosted.formats import Format, recognise
from workers.sandbox import child, landlock, room
from workers.sandbox.ends import End, await_end
from workers.sandbox.limits import Limits, SandboxFault

Start = Callable[[Path, float], End]
"""Runs a child on the job in a folder, within so many seconds by the clock."""
ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {
    "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1", "LC_CTYPE": "C.UTF-8", "DJANGO_SETTINGS_MODULE": "none",
}  # fmt: skip
"""All that a child's environment holds; Python sets the last two itself, so they are given."""
MAX_TOLD = 2_000
FIRST_SIGNAL = 128
"""Bubblewrap, like a shell, ends by this and the signal that killed its child."""
BUSY = 0.5
"""Share of the clock's time that a run must have computed to be slow by its own fault and not the machine's."""
OWN_ENDS = {
    signal.SIGXCPU: "it used up its CPU time", signal.SIGSEGV: "it crashed its library",
    signal.SIGABRT: "it crashed its library", signal.SIGBUS: "it crashed its library",
    signal.SIGILL: "it crashed its library", signal.SIGFPE: "it crashed its library",
    signal.SIGXFSZ: "it wrote more than it may", signal.SIGSYS: "it called what it may not call",
}  # fmt: skip
SMALLER = "make the model smaller or simpler"


@dataclass(frozen=True, slots=True)
class Work:
    """What a model is asked: rows of one era after another (N x F), up to `ends`, and the features' names (F)."""

    features_NF: NDArray[np.int8]
    names: tuple[str, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good model's values (N, float32, finite), and what the run took."""

    values: NDArray[np.float32]
    format: Format
    about: str
    level: str
    seconds: float
    cpu_seconds: float


def run(data: bytes, work: Work, limits: Limits = Limits(), *, start: Start | None = None, seed: int = 0) -> Answer:
    """What the model in `data` answers, in a child of `start` or a fresh one (with `seed` for Python's hashes).

    Raises BadModel when the fault is the model's, SandboxFault when it is the platform's.
    """
    form = recognise(data)
    with _folder() as name:
        folder = Path(name)
        job = {"format": form, "names": work.names, "ends": work.ends, "limits": asdict(limits)}
        (folder / child.JOB).write_text(json.dumps(job))
        (folder / child.MODEL).write_bytes(data)
        np.save(folder / child.FEATURES, work.features_NF)
        end = start(folder, limits.wall_seconds) if start else start_fresh(folder, limits.wall_seconds, seed=seed)
        told = judge(folder, end, limits)
        if "faults" in told:
            raise BadModel(_faults(told["faults"]))
        values = _values(folder, len(work.features_NF))
    about, level = (printable(str(told.get(name, "")))[:MAX_TOLD] for name in ("about", "level"))
    return Answer(values, form, about, level, end.seconds, end.cpu_seconds)


def is_offered() -> bool:
    """Whether this system can hold a sandbox: Linux with Landlock, or with a bubblewrap that works."""
    return sys.platform == "linux" and (landlock.version() > 0 or room.is_offered())


def start_fresh(folder: Path, wall_seconds: float, *, seed: int = 0) -> End:
    """Run a child of its own interpreter on the job in the folder; wait for its end, or for its time to be over."""
    command = [sys.executable, "-s", "-P", "-B", "-m", child.__name__, str(folder)]
    environment = SETTINGS | {"PYTHONHASHSEED": str(seed)}
    began = time.monotonic()
    with (folder / "error").open("wb") as error:
        process = subprocess.Popen(
            room.enclosed(command, folder, environment), cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=error, stderr=error, start_new_session=True,
        )  # fmt: skip
    code, cpu_seconds = await_end(process.pid, wall_seconds, kill_group)
    if code is not None and code > FIRST_SIGNAL:
        code = FIRST_SIGNAL - code
    process.returncode = -signal.SIGKILL if code is None else code
    return End(code, time.monotonic() - began, cpu_seconds)


def judge(folder: Path, end: End, limits: Limits) -> dict[str, Any]:
    """What the child said before a good end. Raises BadModel or SandboxFault for any other."""
    if end.code is None and end.cpu_seconds < BUSY * limits.wall_seconds:
        raise SandboxFault(f"a run had {end.cpu_seconds:.1f} s of CPU in {end.seconds:.1f} s: this machine is too busy")
    if end.code is None:
        raise BadModel(Fault("time", f"the model did not end within {limits.wall_seconds:g} s", SMALLER))
    if end.code < 0 and -end.code in OWN_ENDS:
        reason = OWN_ENDS[signal.Signals(-end.code)]
        raise BadModel(Fault("crash", f"the model could not be run: {reason}", SMALLER))
    if end.code:
        raise SandboxFault(f"a run ended by {end.code}: {tail(folder / 'error')}")
    try:
        told = json.loads(_head(folder / child.SAID))
        if not isinstance(told, dict):
            raise ValueError(type(told).__name__)
    except (OSError, ValueError) as error:
        raise SandboxFault(f"a run said nothing that can be read: {error}") from None
    return told


def _values(folder: Path, rows: int) -> NDArray[np.float32]:
    """The values, which must be as many as there are rows, and finite."""
    size = (folder / child.VALUES).stat().st_size
    if size != 4 * rows:
        raise BadModel(Fault("answer_shape", f"the model answered {size // 4:,} of {rows:,} rows"))
    values = np.fromfile(folder / child.VALUES, dtype=np.float32)
    if not np.isfinite(values).all():
        raise BadModel(Fault("answer_infinite", "the model's answer has missing or infinite values"))
    return values


def _faults(told: Any) -> list[Fault]:
    """Faults as the child tells them, in bounds."""
    try:
        return [
            Fault(
                str(one["code"])[:60], printable(str(one["message"]))[:MAX_TOLD],
                printable(str(one["hint"]))[:MAX_TOLD],
                tuple(printable(str(example))[:200] for example in one["examples"][:3]),
            )
            for one in told[:20]
        ]  # fmt: skip
    except (KeyError, TypeError, IndexError) as error:
        raise SandboxFault(f"a run told of faults in no known way: {error}") from None


def kill_group(leader: int) -> None:
    """End a session and all that is in it."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it is gone, or another user's zombie
        return


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(child.MAX_SAID)


def tail(path: Path) -> str:
    """The last of what the child's libraries complained of: for staff."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_TOLD))
        return printable(file.read().decode(errors="replace").strip())


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="regatta-sandbox-", ignore_cleanup_errors=True)


def of_rounds(features_NF: NDArray[np.generic], names: Sequence[str]) -> Work:
    """One round's live features."""
    return Work(np.asarray(features_NF, dtype=np.int8), tuple(names), (len(features_NF),))
