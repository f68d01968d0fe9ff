"""Check hosted models and run them in rounds: jobs of queue `sandbox`, for workers whose sandbox holds."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction
from django.utils import timezone

from regatta import artifacts
from regatta.diagnostics.figuring import figures, validation_set
from regatta.hosting.models import HostedModel, HostedRun, Logged, State
from regatta.hosting.sailing import assign, refuse_beyond_quota
from regatta.notifications.telling import tell_of_failed_run
from regatta.predictors.material import feature_names, live_features
from regatta.rounds.models import Tournament
from regatta.submissions.intake import receive
from regatta.submissions.models import Submission
from tournament.errors import BadInput, BadModel, Fault
from tournament.markets.dataset import parquet_bytes
from tournament.scoring.diagnostics import Validation
from tournament.scoring.ranks import tie_kept_ranks
from workers.sandbox.limits import SandboxFault
from workers.sandbox.runner import Answer, Work, of_rounds, run

SEEDS = 1, 2
"""Of Python's hashes in the two runs of a check, whose answers must be the same bytes."""
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
        past = validation_eras(hosted.model.tournament)
        answer = _same_twice(artifacts.get(hosted.sha256), past)
    except BadInput as bad:
        _fail(hosted, bad)
        return {"state": hosted.state}
    except Exception as error:
        _blame_platform(hosted, error)
        raise
    _accept(hosted, answer, past)
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
        answer = run(artifacts.get(run_row.hosted.sha256), of_rounds(features_NF, names))
        _submit(run_row, ids, answer)
    except BadInput as bad:
        _fail(run_row, bad)
    except Exception as error:
        _blame_platform(run_row, error)
        raise
    return {"state": run_row.state}


@dataclass(frozen=True, slots=True)
class Past:
    """Rows of the validation set whose targets are known, era by era, as a model is asked for them."""

    rows: Validation
    work: Work

    def slices(self) -> list[slice]:
        """Rows of each era."""
        return [slice(start, end) for start, end in pairwise((0, *self.work.ends))]


def validation_eras(tournament: Tournament) -> Past:
    """The newest eras of the validation set; all were known when the first round opened."""
    found = validation_set(tournament)
    known = found.rows.of(np.isfinite(found.rows.target_N))
    if len(known.era_N) > NEWEST_ROWS:
        known = known.of(known.era_N > known.era_N[-NEWEST_ROWS - 1])  # whole eras only
    starts = np.flatnonzero(np.diff(known.era_N, prepend=known.era_N[:1] - 1))
    ends = (*map(int, starts[1:]), len(known.era_N))
    return Past(known, Work(known.features_NF.astype(np.int8), found.names, ends))


def _same_twice(data: bytes, past: Past) -> Answer:
    """The answer on the validation eras. Raises BadModel, also when a second run differs or all is one value."""
    first, second = (run(data, past.work, seed=seed) for seed in SEEDS)
    if first.values.tobytes() != second.values.tobytes():
        message = "the model answered otherwise when it was run again on the same rows"
        raise BadModel(Fault("not_the_same", message, "leave out whatever draws random numbers"))
    if all(np.ptp(first.values[rows]) == 0 for rows in past.slices()):
        message = "the model gives every row of an era the same value"
        raise BadModel(Fault("constant", message, "a constant cannot rank anything; train it on the features"))
    return first


def _accept(hosted: HostedModel, answer: Answer, past: Past) -> None:
    """Keep the diagnostics, and let the version sail unless a later one does."""
    eras, summary = figures(answer.values, past.rows)
    took = f"{len(answer.values):,} rows of {len(past.work.ends)} eras in {answer.seconds:.2f} s ({answer.level})"
    hosted.move(
        State.SUCCESS, f"Good: {answer.about}; answered {took}, the same bytes twice.", about=answer.about[:200],
        diagnostics={"eras": eras, "summary": summary}, finished_at=timezone.now(),
    )  # fmt: skip
    later = HostedModel.objects.filter(model=hosted.model, number__gt=hosted.number, is_assigned=True)
    if not later.exists():
        assign(hosted, hosted.model.tournament.now())


def _submit(run_row: HostedRun, ids: pd.Series, answer: Answer) -> None:
    """Send the ranks of the answer the way an upload goes."""
    hosted, round = run_row.hosted, run_row.round
    frame = pd.DataFrame({"id": ids, "prediction": tie_kept_ranks(answer.values[:, None].astype(float))[:, 0]})
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
