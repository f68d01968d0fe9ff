"""Hosted models: a file that the platform runs each round. `hosting` is where the platform's runner is connected."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor, own_model
from regatta.api.numerapi.submissions import Created, UploadAuth, address
from regatta.submissions.models import ContributedModel
from regatta.uploads.models import Upload
from regatta.uploads.steps import use

MAX_MODEL_BYTES = 50_000_000


@strawberry.type
class Named:
    """A choice by its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that somebody wants to have run, and in which surroundings."""

    model: ContributedModel
    data: bytes
    filename: str
    data_version_id: str | None
    docker_image_id: str | None


class Hosting:
    """Whatever runs contributed model files: the one place to connect it. As long as nothing does, it refuses."""

    def may_take(self, model: ContributedModel, filename: str) -> None:
        """Raises Refusal when a file of the name cannot be taken for the model."""
        raise self.unavailable()

    def take(self, file: ModelFile) -> int:
        """Keep the file, promise its validation, and tell its key. Raises Refusal or BadInput."""
        raise self.unavailable()

    def data_versions(self) -> list[Named]:
        """Versions of the data that a hosted model can be run on."""
        raise self.unavailable()

    def images(self) -> list[Named]:
        """Surroundings in which hosted models run."""
        raise self.unavailable()

    def unavailable(self) -> Refusal:
        """The documented error."""
        message = "hosted models are not available yet"
        return Refusal(501, "no_hosting", message, "upload predictions each round instead: upload_predictions()")


hosting = Hosting()


def upload_auth(info: Info, filename: str, model_id: str | None = None) -> UploadAuth:
    """Where to put a model file."""
    model = own_model(contributor(info, "submit"), model_id)
    hosting.may_take(model, filename)
    return address(info, Upload.Purpose.MODEL, filename, model, MAX_MODEL_BYTES)


def create(
    info: Info,
    filename: str,
    tournament: int,
    model_id: str | None = None,
    data_version_id: str | None = None,
    docker_image_id: str | None = None,
) -> Created:
    """Take in a model file that was put."""
    owner = contributor(info, "submit")
    model = own_model(owner, model_id, tournament)

    def consume(upload: Upload, data: bytes) -> int:
        return hosting.take(ModelFile(model, data, upload.original, data_version_id, docker_image_id))

    now = timezone.now()
    pk = use(filename, owner=owner, purpose=Upload.Purpose.MODEL, model=model, now=now, consume=consume)
    return Created(id=str(pk))


def data_versions(info: Info) -> list[Named]:
    """Versions of the data that a hosted model can be run on."""
    contributor(info, "read")
    return hosting.data_versions()


def docker_images(info: Info) -> list[Named]:
    """Surroundings in which hosted models run."""
    contributor(info, "read")
    return hosting.images()


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
