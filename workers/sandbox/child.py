"""The sandboxed process: `python -m workers.sandbox.child FOLDER`.

It loads the libraries and reads its inputs, closes the door behind itself, and only then looks at the model. It leaves
two files in the folder, which it opened before: `values` (float32) and `said` (JSON), and ends by 0 when it has said
whether the model is good; any other end is told by the parent.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tournament.errors import BadModel, Fault
from tournament.hosted.formats import Format
from tournament.hosted.model import Single, answer_eras, prepare, read
from workers.sandbox import escape
from workers.sandbox.limits import Limits
from workers.sandbox.lockdown import die_with_parent, level, lock

JOB, MODEL, FEATURES, VALUES, SAID = "job.json", "model", "features.npy", "values", "said"
MAX_SAID = 60_000
FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def main(folder: Path) -> None:
    """Do the job that lies in the folder."""
    die_with_parent()
    do(opened(folder))


def opened(folder: Path) -> list[int]:
    """Descriptors of a job's five files; the last two are made for it."""
    given = [os.open(folder / name, os.O_RDONLY) for name in (JOB, MODEL, FEATURES)]
    return given + [os.open(folder / name, FRESH, 0o600) for name in (VALUES, SAID)]


def do(files: list[int]) -> None:
    """Do the job in the files, which are open."""
    asked, model, table, values, said = files
    job = json.loads(_read(asked))
    Limits(**job["limits"]).impose()
    held = level()
    if "attempts" in job:
        lock()
        told: dict[str, Any] = escape.attempt(job["attempts"], values)
    else:
        prepare(Format(job["format"]))
        data = _read(model)
        with open(table, "rb") as file:
            features = np.load(file, allow_pickle=False)
        lock()
        told = predict(data, features, job["names"], job["ends"], values)
    os.write(said, json.dumps({"level": held} | told).encode()[:MAX_SAID])


def predict(data: bytes, features: np.ndarray, names: list[str], ends: list[int], out: int) -> dict[str, Any]:
    """Write the answers to the open file `out`; what there is to say of the model, or its faults."""
    try:
        model = read(data)
        for values in answer_eras(model, features, names, ends):
            _write(out, values)
    except BadModel as bad:
        return {"faults": [asdict(fault) for fault in bad.faults]}
    except MemoryError:
        return {"faults": [asdict(Fault("memory", "the model needs more memory than it may have", "make it smaller"))]}
    return {"about": model.about}


def _read(given: int) -> bytes:
    with open(given, "rb") as file:
        return file.read()


def _write(out: int, values: Single) -> None:
    data = memoryview(values.tobytes())
    while data:
        data = data[os.write(out, data) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # libraries' own clean-up would ask for what is forbidden now
