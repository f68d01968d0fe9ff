"""Files: which there are, and where they lie. The files themselves are served by the REST API, to all."""

from __future__ import annotations

import strawberry
from django.urls import reverse

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info
from regatta.api.numerapi.numbers import CRYPTO, SIGNALS, tournament_of
from regatta.rounds.models import Dataset, Round, Tournament
from regatta.rounds.public import file_sha256

FIRST_VERSION = "v1.0"
FOLDERS = {SIGNALS: "signals", CRYPTO: "crypto"}
"""Folders before the version by which the client knows the files of two of its tournaments."""
LIVE = "live_{:05d}.parquet"


def list_datasets(round: int | None = None, tournament: int | None = None) -> list[str]:
    """Paths of every public file and of the live file of the round (the newest when none is named)."""
    found = tournament_of(tournament)
    dataset, live = _newest(found), _round(found, round)
    version = dataset.version if dataset else FIRST_VERSION
    names = list(dataset.files.filter(is_public=True).values_list("name", flat=True)) if dataset else []
    paths = [f"{version}/{name}" for name in names]
    if live is not None:
        paths.append(f"{version}/{LIVE.format(live.number)}")
        if folder := FOLDERS.get(tournament or 0):
            paths.append(f"{folder}/{version}/{LIVE.format(live.number)}")
    return sorted(paths)


def dataset(info: Info, filename: str, round: int | None = None, tournament: int | None = None) -> str:
    """Where the file can be fetched, whole or in part. Raises Refusal when there is none of the name."""
    found = tournament_of(tournament)
    *folders, name = filename.split("/")
    folder = folders.pop(0) if folders and folders[0] in FOLDERS.values() else ""
    newest = _newest(found)
    version = newest.version if newest else FIRST_VERSION
    if folders not in ([], [version]):
        raise _missing(filename)
    name = _live_name(name, found, round, folder)
    if file_sha256(found.slug, name) is None:
        raise _missing(filename)
    return info.context.request.build_absolute_uri(reverse("file", args=[found.slug, name]))


def _live_name(name: str, tournament: Tournament, number: int | None, folder: str) -> str:
    """`live.parquet` is the live file of the round; under signals/ and crypto/ it has a column of tickers too."""
    if name == "live.parquet":
        found = _round(tournament, number)
        if found is None:
            raise Refusal(404, "no_round", "no round has opened yet", "wait for the first opening")
        name = LIVE.format(found.number)
    return name.replace("live_", f"{folder}_") if folder and name.startswith("live_") else name


def _round(tournament: Tournament, number: int | None) -> Round | None:
    if number in (None, 0):
        return tournament.rounds.exclude(live_sha256="").order_by("-number").first()
    found = tournament.rounds.filter(number=number).exclude(live_sha256="").first()
    if found is None:
        raise Refusal(404, "no_round", f"round {number} has no data", "ask list_rounds() for those that have")
    return found


def _newest(tournament: Tournament) -> Dataset | None:
    return tournament.datasets.filter(status=Dataset.Status.PUBLISHED).first()


def _missing(filename: str) -> Refusal:
    return Refusal(404, "no_file", f"the requested file {filename[:80]!r} does not exist", "ask list_datasets()")


@strawberry.type
class DatasetQuery:
    """What is asked about files."""

    list_datasets: list[str] = strawberry.field(resolver=list_datasets)
    dataset: str = strawberry.field(resolver=dataset)
