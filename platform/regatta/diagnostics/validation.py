"""The validation set of a tournament: what diagnoses of files and of hosted models are scored on."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from django.db.models import QuerySet
from numpy.typing import NDArray

from regatta import artifacts
from regatta.rounds.models import DatasetFile, Tournament
from regatta.rounds.prices import CONTEXT, file_hash
from tournament.markets.context import CONTEXT_NAMES
from tournament.scoring.diagnostics import KnownEras, known_eras

VALIDATION = "validation.parquet"


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation file: ids (N) and what each row is scored with."""

    ids: NDArray[np.object_]
    known: KnownEras


def has_validation(tournament: Tournament) -> bool:
    """Whether the tournament came with validation eras; an imported archive did not."""
    return _files(tournament, VALIDATION).filter(is_public=True).exists()


def validation_set(tournament: Tournament) -> ValidationSet:
    """The newest published validation file, each era with its regime where contexts of the eras before are stored."""
    context = file_hash(tournament, CONTEXT) if _files(tournament, CONTEXT).exists() else ""
    return _read(file_hash(tournament, VALIDATION), context)


def _files(tournament: Tournament, name: str) -> QuerySet[DatasetFile]:
    return DatasetFile.objects.filter(dataset__tournament=tournament, name=name)


@lru_cache(maxsize=2)
def _read(sha256: str, context_sha256: str) -> ValidationSet:
    frame = pd.read_parquet(io.BytesIO(artifacts.get(sha256)))
    regime_of = _regimes(context_sha256, int(frame["era"].iloc[0])) if context_sha256 else {}
    return ValidationSet(frame["id"].astype(str).to_numpy(object), known_eras(frame, regime_of))


def _regimes(sha256: str, first: int) -> dict[int, str]:
    """The regime of every era from the first validation era on, by a model of the eras before it."""
    from tournament.regimes.told import regimes_told  # workers alone ask; it loads what no web process should

    frame = pd.read_parquet(io.BytesIO(artifacts.get(sha256)))
    eras = frame["era"].astype(int).to_numpy()
    context_TK = frame.reindex(columns=list(CONTEXT_NAMES)).to_numpy(float)
    since = int(np.searchsorted(eras, first))
    return dict(zip(map(int, eras[since:]), regimes_told(context_TK, CONTEXT_NAMES, since=since), strict=False))
