"""Versions of a tournament's data, and its public files: open to all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from regatta.access import open_to_all
from regatta.api.files import file_answer
from regatta.api.v1.finding import tournament_of
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import FILE, Room, Told
from regatta.rounds.models import Dataset, DatasetFile, Tournament
from regatta.rounds.public import file_sha256

room = Room("datasets")


class FileAnswer(Told):
    """A file that everybody may have."""

    name: str
    sha256: str
    size: int = Field(description="Bytes.")
    rows: int


class DatasetAnswer(Told):
    """A published version, with what the check of its prices found."""

    version: str
    published_at: datetime | None
    features: list[str]
    quality: dict[str, Any]
    files: list[FileAnswer]


@room.get("/tournaments/{slug:slug}/datasets/", Page[DatasetAnswer])
@open_to_all(of="tournament")
def versions(request: HttpRequest, slug: str, paging: Query[Paging]) -> dict[str, Any]:
    """Published versions of the data, the newest first."""
    public = Prefetch("files", DatasetFile.objects.filter(is_public=True))
    found = Dataset.objects.filter(tournament=tournament_of(slug), status=Dataset.Status.PUBLISHED)
    return page(request, found.prefetch_related(public), paging, _version, newest_first=True)


@room.get("/tournaments/{slug:slug}/files/", Page[FileAnswer])
@open_to_all(of="tournament")
def files(request: HttpRequest, slug: str, paging: Query[Paging]) -> dict[str, Any]:
    """Files of the published data. Live files are named by their rounds."""
    return page(request, newest_files(tournament_of(slug)), paging, file_answer_of)


@room.get("/tournaments/{slug:slug}/files/{str:name}", FILE, name="file")
@open_to_all(of="file")
def file(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One public file, with its hash as ETag.

    Ranges are honoured, so that a broken download goes on where it stopped. `live_00012.parquet` is round 12's.
    """
    sha256 = file_sha256(slug, name)
    if sha256 is None:
        raise Http404(f"there is no file {name}")
    return file_answer(request, sha256, name)


def newest_files(tournament: Tournament) -> Any:
    """Public files, in one query."""
    return DatasetFile.objects.filter(dataset__tournament=tournament, is_public=True)


def file_answer_of(row: DatasetFile) -> dict[str, Any]:
    """What everybody may know of a public file."""
    return {"name": row.name, "sha256": row.sha256, "size": row.size, "rows": row.rows}


def _version(row: Dataset) -> dict[str, Any]:
    told = {"version": row.version, "published_at": row.published_at, "features": row.feature_names}
    return told | {"quality": row.quality, "files": [file_answer_of(one) for one in row.files.all()]}
