"""What the platform itself submits to each round: its example, and its predictors fine-tuned on the newest targets."""

from __future__ import annotations

import logging
from functools import lru_cache

import pandas as pd
from django.conf import settings
from django.db import transaction

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
from tournament.predictors.registry import ABOUT, make
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
    for version in _serving(round):
        if predictor_name(round.tournament, version.family) in sent:
            continue
        try:
            with transaction.atomic():
                _submit(round, version)
        except Exception:
            log.exception("%s left round %s out", version, round.number)
    enqueue_if_due(round)


def predictor_name(tournament: Tournament, family: str) -> str:
    """The name of the platform's model of a family in a tournament."""
    return platform_name(f"{BENCHMARK_PREFIX}{family}_", tournament)


def _serving(round: Round) -> list[PredictorVersion]:
    """The newest version of each family served that was trained before the round opened."""
    trained = PredictorVersion.objects.filter(tournament=round.tournament, created_at__lt=round.opens_at)
    served = trained.filter(family__in=settings.REGATTA_PREDICTORS)
    return list(served.order_by("family", "-trained_in").distinct("family"))


def _submit(round: Round, version: PredictorVersion) -> None:
    """Fine-tune on the newest targets known at the opening, rank the live rows, and send the ranks."""
    predictor, state = make(version.family, round.tournament.parsed_rules()), _state(version.state_sha256)
    if predictor.support:
        state = predictor.adapt(state, newest_eras(round.tournament, round.opens_at, predictor.support))
    ids, features_NF = live_features(round, feature_names(round.tournament))
    ranks = tie_kept_ranks(predictor.predict(state, features_NF)[:, None])[:, 0]
    data = parquet_bytes(pd.DataFrame({"id": ids, "prediction": ranks}))
    model = platform_model(round.tournament, predictor_name(round.tournament, version.family), ABOUT[version.family])
    filename = f"{version.family}_trained_in_{version.trained_in}.parquet"
    receive(model, round, data, filename=filename, source=SOURCE, now=round.opens_at)


@lru_cache(maxsize=16)
def _state(sha256: str) -> State:
    return State.from_bytes(artifacts.get(sha256))
