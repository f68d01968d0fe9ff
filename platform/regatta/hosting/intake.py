"""Take in model files: what they are is told at once, whether they are good by a worker in its sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from regatta import artifacts
from regatta.accounts.models import User
from regatta.hosting.models import HostedModel, State
from regatta.jobs.flow import enqueue, retry
from regatta.jobs.models import Job
from regatta.predictors.material import has_material
from regatta.submissions.models import ContributedModel
from tournament.errors import BadModel, Fault, printable
from tournament.hosted.formats import recognise

UPLOADS_PER_DAY = 30
HOSTED_SLOTS = 10
"""Slots of a contributor in which a file may lie."""
DAY = timedelta(days=1)
JOB = "check of hosted "
"""How the keys of its jobs begin."""


def take_in(model: ContributedModel, data: bytes, *, filename: str, by: User, now: datetime) -> HostedModel:
    """Keep a model file as the slot's next version and promise its check; `now`: the time by the clock, not a replay's.

    Raises BadModel when the slot is not `by`'s, its tournament has nothing to run a model on, the file is too large
    or of a format that is not taken, or `by` has sent enough.
    """
    if model.owner_id != by.pk:
        raise BadModel(Fault("not_yours", f"model {model.name} is not yours", "choose one of your own models"))
    if not has_material(model.tournament):
        found = f"{model.tournament} came without training and validation files"
        raise BadModel(Fault("no_features", found, "send predictions instead"))
    form = recognise(data)
    sha256 = artifacts.put(data)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)  # two uploads at once must not both be the last allowed
        _refuse_beyond_quota(model, by, now)
        last = HostedModel.objects.filter(model=model).aggregate(last=Max("number"))["last"] or 0
        hosted = HostedModel(
            model=model, number=last + 1, filename=printable(filename)[:120], format=form, sha256=sha256,
            size=len(data), created_at=now,
        )  # fmt: skip
        hosted.tell(f"Received: {len(data):,} bytes, by their content {form}.")
        hosted.save()
        _promise(hosted, now)
    return hosted


def check_again(hosted: HostedModel, now: datetime) -> bool:
    """Promise anew a check that ended by the platform's fault; False when there is none to repeat."""
    job = Job.objects.filter(key=_key(hosted)).first()
    return hosted.state in (State.ERROR, State.VALIDATING) and job is not None and retry(job, now=now)


def _promise(hosted: HostedModel, now: datetime) -> None:
    payload = {"hosted": hosted.pk, "tournament": hosted.model.tournament.slug}
    enqueue("check_hosted", Job.Queue.SANDBOX, payload, now=now, key=_key(hosted))


def _key(hosted: HostedModel) -> str:
    return f"{JOB}{hosted.pk}"


def _refuse_beyond_quota(model: ContributedModel, by: User, now: datetime) -> None:
    """What failed by the platform's fault does not count."""
    own = HostedModel.objects.filter(model__owner=by)
    sent = own.filter(created_at__gt=now - DAY).exclude(state=State.ERROR)
    if sent.count() >= UPLOADS_PER_DAY:
        message = f"you have sent {UPLOADS_PER_DAY} model files within a day"
        raise BadModel(Fault("too_many", message, "try them on your machine first, and come back tomorrow"))
    slots = own.exclude(model=model).values("model").distinct().count()
    if slots >= HOSTED_SLOTS:
        message = f"{slots} of your models hold a file already; {HOSTED_SLOTS} are taken"
        raise BadModel(Fault("too_many_slots", message, "send it to one of these, or send predictions"))
