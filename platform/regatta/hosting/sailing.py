"""Which version sails, and its runs: one for each round, promised when the round opens."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from regatta.hosting.models import HostedModel, HostedRun, State
from regatta.jobs.flow import enqueue, retry
from regatta.jobs.models import Job
from regatta.rounds.models import Round
from tournament.errors import BadModel, Fault

RUNS_PER_DAY = 100
"""Runs of a contributor's models within a day of the tournament's time."""
JOB = "run of hosted "
"""How the keys of its jobs begin."""


def assign(hosted: HostedModel, now: datetime) -> None:
    """Let this version run in its slot's rounds from now on, the open ones included. Raises BadModel for a bad one."""
    if hosted.state != State.SUCCESS:
        raise BadModel(Fault("not_checked", f"{hosted} was not found good", "choose a version that was"))
    with transaction.atomic():
        others = HostedModel.objects.select_for_update().filter(model=hosted.model_id)
        others.exclude(pk=hosted.pk).filter(is_assigned=True).update(is_assigned=False)
        HostedModel.objects.filter(pk=hosted.pk).update(is_assigned=True)
        for round in hosted.model.tournament.rounds.filter(status=Round.Status.OPEN):
            ask_run(hosted, round, now)
    hosted.refresh_from_db()


def take_off(hosted: HostedModel) -> bool:
    """Let this version run no more; whether it did."""
    stopped = bool(HostedModel.objects.filter(pk=hosted.pk, is_assigned=True).update(is_assigned=False))
    hosted.refresh_from_db()
    return stopped


def ask_runs(round: Round) -> None:
    """At an opening: promise a run of every version that sails; one query where there is none."""
    sailing = HostedModel.objects.filter(model__tournament=round.tournament_id, is_assigned=True)
    for hosted in sailing.filter(model__owner__is_active=True).select_related("model__tournament"):
        ask_run(hosted, round, round.opens_at)


def ask_run(hosted: HostedModel, round: Round, now: datetime) -> HostedRun:
    """Promise a version's run in a round, once."""
    run, is_new = HostedRun.objects.get_or_create(hosted=hosted, round=round, defaults={"created_at": now})
    if is_new:
        payload = {"run": run.pk, "tournament": hosted.model.tournament.slug}
        enqueue("run_hosted", Job.Queue.SANDBOX, payload, now=now, key=_key(run))
    return run


def run_again(run: HostedRun, now: datetime) -> bool:
    """Promise anew a run that ended by the platform's fault; False when there is none to repeat."""
    job = Job.objects.filter(key=_key(run)).first()
    return run.state in (State.ERROR, State.RUNNING) and job is not None and retry(job, now=now)


def refuse_beyond_quota(run: HostedRun) -> None:
    """Raises BadModel when the contributor's models have run enough; what was the platform's fault does not count."""
    since = run.created_at - timedelta(days=1)
    own = HostedRun.objects.filter(hosted__model__owner=run.hosted.model.owner_id, created_at__gt=since)
    same = own.filter(round__tournament=run.round.tournament_id, pk__lt=run.pk).exclude(state=State.ERROR)
    if same.count() >= RUNS_PER_DAY:
        message = f"your models have run {RUNS_PER_DAY} times within a day"
        raise BadModel(Fault("too_many_runs", message, "let fewer of them sail"))


def _key(run: HostedRun) -> str:
    return f"{JOB}{run.pk}"
