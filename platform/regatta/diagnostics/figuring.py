"""Ask for a diagnosis, and make it: the file is held against the validation set of its tournament."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regatta import artifacts
from regatta.diagnostics.models import Diagnosis
from regatta.diagnostics.validation import ValidationSet, has_validation, validation_set
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, Fault, printable
from tournament.predictions import check, read, with_id
from tournament.scoring.diagnostics import diagnose

KIND = "diagnose"
JOB = f"{KIND}:"
"""How the keys of its jobs begin."""


def ask(model: ContributedModel, data: bytes, *, filename: str, now: datetime) -> Diagnosis:
    """Promise a diagnosis of the file. Raises BadInput where the tournament has no validation set."""
    if not has_validation(model.tournament):
        raise BadInput(Fault("no_validation", f"{model.tournament} has no validation set", "submit to a round instead"))
    made = Diagnosis.objects.create(
        model=model, filename=printable(filename)[:120], file_sha256=artifacts.put(data), created_at=now, updated_at=now
    )
    flow.enqueue(KIND, Job.Queue.SCORE, {"diagnosis": made.pk}, now=now, key=_key(made))
    return made


def make(pk: int, now: datetime) -> Diagnosis:
    """Score the file of a promised diagnosis; made before, it stays as it is."""
    found = Diagnosis.objects.select_related("model__tournament").get(pk=pk)
    if found.status != Diagnosis.Status.PENDING:
        return found
    try:
        figures = _figures(found)
    except BadInput as refused:
        changes: dict[str, Any] = {"status": Diagnosis.Status.FAILED, "message": str(refused)}
    else:
        changes = {"status": Diagnosis.Status.DONE} | figures
    Diagnosis.objects.filter(pk=pk, status=Diagnosis.Status.PENDING).update(**changes, updated_at=now)
    found.refresh_from_db()
    return found


def trouble(diagnosis: Diagnosis) -> str:
    """Why a diagnosis that is pending will not come; empty when it may."""
    failed = Job.objects.filter(key=_key(diagnosis), state=Job.State.FAILED).first()
    return failed.reason if failed else ""


def _key(diagnosis: Diagnosis) -> str:
    return f"{JOB}{diagnosis.pk}"


def _figures(diagnosis: Diagnosis) -> dict[str, Any]:
    """Figures by era, over all of them and by regime. Raises BadInput with the faults of the file."""
    tournament, data = diagnosis.model.tournament, artifacts.get(diagnosis.file_sha256)
    rules, found = tournament.parsed_rules(), validation_set(tournament)
    chosen_E = _eras_of(data, diagnosis.filename, found, rules.max_upload_bytes)
    ids = list(found.ids[found.known.rows_of(chosen_E)])
    checked = check(data, diagnosis.filename, ids, max_bytes=rules.max_upload_bytes)
    if checked.values is None:
        raise BadInput(checked.faults)
    return diagnose(checked.values, found.known.of(chosen_E), overlap=rules.overlap_rounds).plain()


def _eras_of(data: bytes, filename: str, found: ValidationSet, limit: int) -> NDArray[np.bool_]:
    """Every era of which the file has an id; all of them when it has no column of ids. Raises BadInput."""
    table = with_id(read(data, filename, max_bytes=limit))
    if "id" not in table.column_names:
        return np.ones(len(found.known.eras_E), dtype=bool)
    sent = pd.Index(found.ids).isin(table["id"].to_pylist())
    return np.array([sent[rows].any() for rows in found.known.slices()])
