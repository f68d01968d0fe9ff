"""Train the platform's own predictors on what was known at a time."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime
from typing import Any

from django.conf import settings

from regatta import artifacts
from regatta.predictors.material import known_eras
from regatta.predictors.models import PredictorVersion
from regatta.rounds.models import Tournament
from tournament.errors import BadInput
from tournament.predictors.eras import Eras
from tournament.predictors.registry import make

SEED = 1
NEWEST_ERAS = 600
"""Twelve years of weekly eras: older ones tell of other markets, and a training shall take seconds."""


def train_predictors(payload: dict[str, Any]) -> dict[str, Any]:
    """Train each predictor that is served, once; one that finds too little to learn from says so and is left out."""
    tournament = Tournament.objects.get(slug=payload["tournament"])
    now = datetime.fromisoformat(payload["now"])
    eras = known_eras(tournament, now).newest(NEWEST_ERAS)
    refused = {}
    for family in settings.REGATTA_PREDICTORS:
        try:
            _train(tournament, family, eras, trained_in=payload["round"], now=now)
        except BadInput as error:
            refused[family] = str(error)
    return {"eras": len(eras), "refused": refused}


def _train(tournament: Tournament, family: str, eras: Eras, *, trained_in: int, now: datetime) -> None:
    """One family's new version, unless an earlier attempt has made it."""
    if PredictorVersion.objects.filter(tournament=tournament, family=family, trained_in=trained_in).exists():
        return
    rules, start = tournament.parsed_rules(), time.perf_counter()
    state = make(family, rules).train(eras, seed=SEED)
    config = state.config | {"seconds": round(time.perf_counter() - start, 2), "data": _data_hash(eras)}
    PredictorVersion.objects.get_or_create(
        tournament=tournament, family=family, trained_in=trained_in,
        defaults={
            "last_era": int(eras.number_E[-1]), "config": config, "state_sha256": artifacts.put(state.to_bytes()),
            "created_at": now,
        },
    )  # fmt: skip


def _data_hash(eras: Eras) -> str:
    """A mark of everything the training saw."""
    digest = hashlib.sha256()
    for values in (eras.number_E, eras.features_ENF, eras.target_EN):
        digest.update(values.tobytes())
    return digest.hexdigest()
