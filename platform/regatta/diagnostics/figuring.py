"""Ask for a diagnosis, and make it: the file is held against the validation set of its tournament."""

from __future__ import annotations

import io
import math
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regatta import artifacts
from regatta.diagnostics.models import Diagnosis
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.rounds.models import DatasetFile, Tournament
from regatta.rounds.prices import file_hash
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, Fault, printable
from tournament.markets.dataset import example_score
from tournament.predictions import check, read, with_id
from tournament.scoring.diagnostics import Validation, diagnose

VALIDATION = "validation.parquet"
KIND = "diagnose"


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation file: ids, names of the features, and what each row is scored with."""

    ids: NDArray[np.object_]
    names: tuple[str, ...]
    rows: Validation


def ask(model: ContributedModel, data: bytes, *, filename: str, now: datetime) -> Diagnosis:
    """Promise a diagnosis of the file. Raises BadInput where the tournament has no validation set."""
    files = DatasetFile.objects.filter(dataset__tournament=model.tournament_id, name=VALIDATION, is_public=True)
    if not files.exists():
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
        eras, summary = _figures(found)
    except BadInput as refused:
        changes: dict[str, Any] = {"status": Diagnosis.Status.FAILED, "message": str(refused)}
    else:
        changes = {"status": Diagnosis.Status.DONE, "eras": eras, "summary": summary}
    Diagnosis.objects.filter(pk=pk, status=Diagnosis.Status.PENDING).update(**changes, updated_at=now)
    found.refresh_from_db()
    return found


def trouble(diagnosis: Diagnosis) -> str:
    """Why a diagnosis that is pending will not come; empty when it may."""
    failed = Job.objects.filter(key=_key(diagnosis), state=Job.State.FAILED).first()
    return failed.reason if failed else ""


def _key(diagnosis: Diagnosis) -> str:
    return f"{KIND}:{diagnosis.pk}"


def _figures(diagnosis: Diagnosis) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Figures by era and over all of them, without NaN. Raises BadInput with the faults of the file."""
    tournament, data = diagnosis.model.tournament, artifacts.get(diagnosis.file_sha256)
    known = validation_set(tournament)
    limit = tournament.parsed_rules().max_upload_bytes
    chosen = _eras_of(data, diagnosis.filename, known, limit)
    checked = check(data, diagnosis.filename, list(known.ids[chosen]), max_bytes=limit)
    if checked.values is None:
        raise BadInput(checked.faults)
    return figures(checked.values, known.rows.of(chosen))


def validation_set(tournament: Tournament) -> ValidationSet:
    """The tournament's validation set."""
    return _validation(file_hash(tournament, VALIDATION))


def figures(values_N: NDArray[np.floating[Any]], rows: Validation) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Figures of predictions by era and over all of them, as plain data. Raises BadInput when there are no rows."""
    found = diagnose(values_N, rows)
    return [_plain(asdict(era)) for era in found.eras], _plain(found.summary)


def _eras_of(data: bytes, filename: str, known: ValidationSet, limit: int) -> NDArray[np.bool_]:
    """Rows of every era of which the file has an id; all of them when it has none. Raises BadInput."""
    table = with_id(read(data, filename, max_bytes=limit))
    if "id" not in table.column_names:
        return np.ones(len(known.ids), dtype=bool)
    sent = pd.Index(known.ids).isin(table["id"].to_pylist())
    return np.isin(known.rows.era_N, np.unique(known.rows.era_N[sent])) if sent.any() else ~sent


@lru_cache(maxsize=2)
def _validation(sha256: str) -> ValidationSet:
    frame = pd.read_parquet(io.BytesIO(artifacts.get(sha256)))
    features = [name for name in frame.columns if name not in ("id", "era") and not name.startswith("target")]
    example = np.full(len(frame), np.nan)
    for _, rows in frame.groupby("era"):
        example[frame.index.get_indexer(rows.index)] = example_score(rows)
    target = frame["target"].to_numpy(float)
    known = Validation(frame["era"].astype(int).to_numpy(), target, frame[features].to_numpy(float), example)
    return ValidationSet(frame["id"].astype(str).to_numpy(object), tuple(features), known)


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
