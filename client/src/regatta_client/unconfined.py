"""A run without a sandbox: `python -m regatta_client.unconfined FOLDER`, for systems that offer none."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from tournament.hosted.formats import Format
from tournament.hosted.model import prepare
from workers.sandbox.child import FEATURES, FRESH, JOB, MODEL, SAID, VALUES, predict
from workers.sandbox.runner import Work


def lay(folder: Path, data: bytes, work: Work, form: Format) -> None:
    """Put the job into the folder, as the server does for its sandboxes."""
    (folder / JOB).write_text(json.dumps({"format": form, "names": work.names, "ends": work.ends}))
    (folder / MODEL).write_bytes(data)
    np.save(folder / FEATURES, work.features_NF)


def main(folder: Path) -> None:
    """Do the job that lies in the folder."""
    job = json.loads((folder / JOB).read_bytes())
    prepare(Format(job["format"]))
    data, features = (folder / MODEL).read_bytes(), np.load(folder / FEATURES, allow_pickle=False)
    values = os.open(folder / VALUES, FRESH, 0o600)
    (folder / SAID).write_text(json.dumps(predict(data, features, job["names"], job["ends"], values)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
