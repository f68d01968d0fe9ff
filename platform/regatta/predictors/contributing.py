"""What the platform itself submits to each round: its example, and its predictors fine-tuned on the newest targets."""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np
import pandas as pd
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from regatta import artifacts
from regatta.predictors.material import feature_names, live_features, newest_eras
from regatta.predictors.models import PredictorVersion
from regatta.predictors.training import enqueue_if_due
from regatta.rounds.models import Round, Tournament
from regatta.submissions.intake import (
    SOURCE,
    example_name,
    platform_model,
    platform_name,
    receive,
    submit_example,
)
from regatta.submissions.models import BENCHMARK_PREFIX, Submission
from tournament.markets.dataset import parquet_bytes
from tournament.predictors.eras import Eras, Floats
from tournament.predictors.registry import ABOUT, SUPPORT, make
from tournament.scoring.ranks import tie_kept_ranks
from tournament.selectors.protocol import State

log = logging.getLogger(__name__)


def contribute(round: Round) -> None:
    """Submit the example and every predictor trained before the opening, each once; ask for a training when due.

    Everything is as of the round's opening, so it may be called again for what a cut-off opening left undone. A
    predictor that fails must not hold up the round: it is left out and logged.
    """
    own = Submission.objects.filter(round=round, source=SOURCE)
    sent = set(own.values_list("model__name", flat=True))
    if example_name(round.tournament) not in sent:
        submit_example(round, round.opens_at)
    if not round.tournament.parsed_rules().predictor_rounds:
        return
    waiting = [one for one in _serving(round) if predictor_name(round.tournament, one.family) not in sent]
    if waiting:
        _submit_all(round, waiting)
    enqueue_if_due(round)


def predictor_name(tournament: Tournament, family: str) -> str:
    """The name of the platform's model of a family in a tournament."""
    return platform_name(f"{BENCHMARK_PREFIX}{family}_", tournament)


def _serving(round: Round) -> list[PredictorVersion]:
    """The newest version of each family served that was trained before the round opened."""
    trained = PredictorVersion.objects.filter(tournament=round.tournament, created_at__lt=round.opens_at)
    served = trained.filter(family__in=settings.REGATTA_PREDICTORS)
    return list(served.order_by("family", "-trained_in").distinct("family"))


def _submit_all(round: Round, versions: list[PredictorVersion]) -> None:
    """One after the other, on the same rows and the same newest eras; one that fails is left out."""
    try:
        ids, features_NF = live_features(round, feature_names(round.tournament))
        newest = newest_eras(round.tournament, round.opens_at, SUPPORT)
    except Exception:
        log.exception("no predictor could answer round %s", round.number)
        return
    for version in versions:
        try:
            values_N = _answer(version, newest, features_NF)
            frame = pd.DataFrame({"id": ids, "prediction": tie_kept_ranks(values_N[:, None])[:, 0]})
            with transaction.atomic():
                _send(round, version, frame)
        except Exception:
            log.exception("%s left round %s out", version, round.number)


def _answer(version: PredictorVersion, newest: Eras, features_NF: NDArray[np.int8]) -> Floats:
    """Fine-tune on the newest eras, then value the live rows (N)."""
    predictor = make(version.family)
    return predictor.predict(predictor.adapt(_state(version.state_sha256), newest), features_NF)


def _send(round: Round, version: PredictorVersion, frame: pd.DataFrame) -> None:
    model = platform_model(round.tournament, predictor_name(round.tournament, version.family), ABOUT[version.family])
    filename = f"{version.family}_trained_in_{version.trained_in}.parquet"
    receive(model, round, parquet_bytes(frame), filename=filename, source=SOURCE, now=round.opens_at)


@lru_cache(maxsize=16)
def _state(sha256: str) -> State:
    return State.from_bytes(artifacts.get(sha256))
