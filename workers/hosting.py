"""Check hosted models and run them in rounds: jobs of queue `sandbox`, for workers whose sandbox holds."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction
from django.utils import timezone

from regatta import artifacts
from regatta.diagnostics.validation import validation_set
from regatta.hosting.models import HostedModel, HostedRun, Logged, State
from regatta.hosting.sailing import assign, refuse_beyond_quota
from regatta.notifications.telling import tell_of_failed_run
from regatta.predictors.material import feature_names, live_features
from regatta.rounds.models import Tournament
from regatta.submissions.intake import receive
from regatta.submissions.models import Submission
from tournament.errors import BadInput, BadModel, Fault
from tournament.hosted.formats import Format
from tournament.hosted.ranking import as_predictions
from tournament.markets.dataset import parquet_bytes
from tournament.scoring.diagnostics import KnownEras, diagnose
from workers.sandbox.forking import fork_server_of
from workers.sandbox.limits import SandboxFault
from workers.sandbox.runner import Answer, Work, of_rounds, run
from workers.sandbox.trial import answer_twice

NEWEST_ROWS = 400_000
"""Rows of the validation file, counted from its end, on which a check runs."""
SOURCE = "hosted"
log = logging.getLogger(__name__)


def check_hosted(payload: dict[str, Any]) -> dict[str, Any]:
    """Run a new version twice on the validation eras: is it good, is it the same each time, how would it have done?"""
    hosted = HostedModel.objects.select_related("model__tournament").get(pk=payload["hosted"])
    if not hosted.move(State.VALIDATING, "Checking it in the sandbox, twice on the validation eras."):
        return {"state": hosted.state}
    try:
        known = validation_eras(hosted.model.tournament)
        answer = _trial(artifacts.get(hosted.sha256), hosted.model.tournament, known)
    except BadInput as bad:
        _fail(hosted, bad)
        return {"state": hosted.state}
    except Exception as error:
        _blame_platform(hosted, error)
        raise
    _accept(hosted, answer, known)
    return {"state": hosted.state, "seconds": answer.seconds}


def run_hosted(payload: dict[str, Any]) -> dict[str, Any]:
    """Run a version on a round's live features and submit its answer; done before, it does nothing."""
    run_row = HostedRun.objects.select_related("hosted__model__tournament", "round__tournament").get(pk=payload["run"])
    if not run_row.move(State.RUNNING, f"Running on the live features of round {run_row.round.number}."):
        return {"state": run_row.state}
    try:
        refuse_beyond_quota(run_row)
        names = feature_names(run_row.round.tournament)
        ids, features_NF = live_features(run_row.round, names)
        data, start = artifacts.get(run_row.hosted.sha256), fork_server_of(Format(run_row.hosted.format)).start
        answer = run(data, of_rounds(features_NF, names), start=start)
        _submit(run_row, ids, answer)
    except BadInput as bad:
        _fail(run_row, bad)
    except Exception as error:
        _blame_platform(run_row, error)
        raise
    return {"state": run_row.state}


def validation_eras(tournament: Tournament) -> KnownEras:
    """The newest eras of the published validation file; all were known when the first round opened."""
    known = validation_set(tournament).known
    ends_E = np.array(known.ends_E)
    return known.of(ends_E > ends_E[-1] - NEWEST_ROWS)


def _trial(data: bytes, tournament: Tournament, known: KnownEras) -> Answer:
    """The answer on the validation eras. Raises BadModel."""
    work = Work(known.features_NF, feature_names(tournament), known.ends_E)
    return answer_twice(lambda seed: run(data, work, seed=seed), work)


def _accept(hosted: HostedModel, answer: Answer, known: KnownEras) -> None:
    """Keep the diagnostics, and let the version sail unless a later one does."""
    tournament = hosted.model.tournament
    found = diagnose(answer.values, known, overlap=tournament.parsed_rules().overlap_rounds).plain()
    took = f"{len(answer.values):,} rows of {len(known.eras_E)} eras in {answer.seconds:.2f} s ({answer.level})"
    later = HostedModel.objects.filter(model=hosted.model, number__gt=hosted.number, is_assigned=True)
    with transaction.atomic():  # nobody sees it good and not sailing
        hosted.move(
            State.SUCCESS, f"Good: {answer.about}; answered {took}, the same bytes twice.", about=answer.about[:200],
            diagnostics=found, finished_at=timezone.now(),
        )  # fmt: skip
        if not later.exists():
            assign(hosted, tournament.now())


def _submit(run_row: HostedRun, ids: pd.Series, answer: Answer) -> None:
    """Send the ranks of the answer the way an upload goes."""
    hosted, round = run_row.hosted, run_row.round
    frame = pd.DataFrame({"id": ids, "prediction": as_predictions(answer.values)})
    filename = f"{hosted.model.name}_version_{hosted.number}.parquet"
    with transaction.atomic():
        HostedRun.objects.select_for_update().get(pk=run_row.pk)
        sent = receive(
            hosted.model, round, parquet_bytes(frame), filename=filename, source=SOURCE, now=round.tournament.now()
        )
        if sent.status != Submission.Status.ACCEPTED:
            raise BadModel([Fault(**fault) for fault in sent.faults])
        late = ", after the close" if sent.is_late else ""
        line = f"{answer.about}: {len(answer.values):,} rows in {answer.seconds:.2f} s; submitted and accepted{late}."
        run_row.move(
            State.SUCCESS, line, submission=sent, seconds=answer.seconds, finished_at=timezone.now()
        )  # fmt: skip


def _fail(row: Logged, bad: BadInput) -> None:
    """The model's own fault."""
    faults = [asdict(fault) for fault in bad.faults]
    with transaction.atomic():
        failed = row.move(State.FAILED, f"Not good: {bad}", faults=faults, finished_at=timezone.now())
        if failed and isinstance(row, HostedRun):
            tell_of_failed_run(row)


def _blame_platform(row: Logged, error: Exception) -> None:
    """The platform's fault: the job is tried again; what its owner reads tells no more than the kind."""
    log.exception("%s: %s", row, error)
    kind = "the sandbox" if isinstance(error, SandboxFault) else "the platform"
    row.move(State.ERROR, f"A fault of {kind}, not of the model: it is tried again and counts for nothing.")
