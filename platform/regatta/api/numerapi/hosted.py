"""Hosted models: a file that the platform runs each round. The client calls it a pickle; pickles are refused."""

from __future__ import annotations

import strawberry
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor, own_model
from regatta.api.numerapi.submissions import Created, UploadAuth, address
from regatta.hosting.intake import take_in
from regatta.rounds.models import Dataset
from regatta.uploads.models import Upload
from regatta.uploads.steps import use
from tournament.hosted.formats import MAX_BYTES

SANDBOX = "sandbox"
"""The one surrounding in which hosted models run."""


@strawberry.type
class Named:
    """A choice by its name."""

    id: str
    name: str


def upload_auth(info: Info, filename: str, model_id: str | None = None) -> UploadAuth:
    """Where to put a model file."""
    model = own_model(contributor(info, "submit"), model_id)
    return address(info, Upload.Purpose.MODEL, filename, model, MAX_BYTES)


def create(
    info: Info,
    filename: str,
    tournament: int,
    model_id: str | None = None,
    data_version_id: str | None = None,
    docker_image_id: str | None = None,
) -> Created:
    """Take in a model file that was put: its format is told at once, its check is promised."""
    owner = contributor(info, "submit")
    model = own_model(owner, model_id, tournament)
    _refuse_unknown("data version", data_version_id, _versions(model.tournament_id))
    _refuse_unknown("docker image", docker_image_id, [SANDBOX])
    now = timezone.now()

    def consume(upload: Upload, data: bytes) -> int:
        return take_in(model, data, filename=upload.original, by=owner, now=now).pk

    pk = use(filename, owner=owner, purpose=Upload.Purpose.MODEL, model=model, now=now, consume=consume)
    return Created(id=str(pk))


def data_versions(info: Info) -> list[Named]:
    """Versions of the data that a hosted model can be run on."""
    contributor(info, "read")
    return [Named(id=version, name=version) for version in _versions()]


def docker_images(info: Info) -> list[Named]:
    """Surroundings in which hosted models run."""
    contributor(info, "read")
    return [Named(id=SANDBOX, name=SANDBOX)]


def _versions(tournament_id: int | None = None) -> list[str]:
    """Published versions of one tournament's data, or of all."""
    found = Dataset.objects.filter(status=Dataset.Status.PUBLISHED)
    found = found if tournament_id is None else found.filter(tournament=tournament_id)
    return list(found.order_by("version").values_list("version", flat=True).distinct())


def _refuse_unknown(what: str, given: str | None, known: list[str]) -> None:
    """Raises Refusal for a choice that is none."""
    if given is not None and given not in known:
        raise Refusal(422, "unknown_choice", f"there is no {what} {given[:60]!r}", f"known: {', '.join(known)}")


@strawberry.type
class HostedQuery:
    """What is asked about hosted models."""

    compute_pickle_upload_auth: UploadAuth = strawberry.field(resolver=upload_auth)
    compute_pickle_data_versions: list[Named] = strawberry.field(resolver=data_versions)
    compute_pickle_docker_images: list[Named] = strawberry.field(resolver=docker_images)


@strawberry.type
class HostedMutation:
    """What becomes of an uploaded model file."""

    create_compute_pickle_upload: Created = strawberry.mutation(resolver=create)
