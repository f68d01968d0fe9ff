"""Run a hosted model as the server does: same reader, one thread, float32, era by era; in the sandbox if it can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from regatta_client import unconfined
from tournament.errors import BadModel, Fault
from tournament.hosted.formats import recognise
from workers.sandbox import runner
from workers.sandbox.limits import Limits, SandboxFault
from workers.sandbox.runner import Answer, Work

NO_SANDBOX = "no sandbox: this system offers neither Landlock nor bubblewrap"


def run(data: bytes, work: Work, *, seed: int = 0) -> Answer:
    """What the model in `data` answers, as a round would have it; `seed` is that of Python's hashes.

    Raises BadModel, and SandboxFault when it could not be run for a reason that is not the model's.
    """
    return runner.run(data, work, seed=seed) if runner.is_offered() else run_unconfined(data, work, seed=seed)


def run_unconfined(data: bytes, work: Work, *, seed: int = 0) -> Answer:
    """The same in a process of its own that may do whatever its user may; for models of one's own. Raises BadModel."""
    form, began = recognise(data), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="regatta-run-") as name:
        folder = Path(name)
        unconfined.lay(folder, data, work, form)
        settings = runner.SETTINGS | {
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        command = [sys.executable, "-m", unconfined.__name__, name]
        try:
            done = subprocess.run(
                command, env=os.environ | settings, capture_output=True, text=True, check=False,
                timeout=Limits().wall_seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            message = f"the model did not end within {Limits().wall_seconds:g} s"
            raise BadModel(Fault("time", message, runner.SMALLER)) from None
        if done.returncode:
            raise SandboxFault(f"the run ended by {done.returncode}: {done.stderr[-500:].strip()}")
        told = json.loads((folder / unconfined.SAID).read_text())
        if "faults" in told:
            raise BadModel([Fault(**fault) for fault in told["faults"]])
        values = np.fromfile(folder / unconfined.VALUES, dtype=np.float32)
    seconds = time.monotonic() - began
    return Answer(values, form, told["about"], NO_SANDBOX, seconds, seconds)
