"""Tournaments, rounds, files and boards: open to all."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from regatta.api.envelope import endpoint
from regatta.api.files import file_answer
from regatta.rounds.models import DatasetFile, Round, Tournament
from regatta.rounds.tickers import COLUMNS, with_tickers
from regatta.scores.models import Leaderboard
from regatta.security import asked_number

LIVE = re.compile(r"(live|signals|crypto)_(\d{5})\.parquet")


def tournament_json(tournament: Tournament) -> dict[str, Any]:
    """What everybody may know of a tournament."""
    return {"slug": tournament.slug, "name": tournament.name, "market": tournament.market, "rules": tournament.rules}


def round_json(round: Round) -> dict[str, Any]:
    """What everybody may know of a round."""
    times = {name: getattr(round, name).isoformat() for name in ("opens_at", "closes_at", "resolves_at")}
    live = f"live_{round.number:05d}.parquet" if round.live_sha256 else None
    plain = {"number": round.number, "status": round.status, "era": round.era, "live_file": live}
    return plain | times | {"universe_size": round.universe_size, "panel_sha256": round.panel_sha256}


@endpoint("GET")
def index(request: HttpRequest) -> JsonResponse:
    """All tournaments."""
    return JsonResponse({"results": [tournament_json(tournament) for tournament in Tournament.objects.all()]})


@endpoint("GET")
def detail(request: HttpRequest, slug: str) -> JsonResponse:
    """One tournament with its newest round and its files."""
    tournament = get_object_or_404(Tournament, slug=slug)
    newest = tournament.rounds.newest()
    files = DatasetFile.objects.filter(dataset__tournament=tournament, is_public=True)
    listing = [{"name": row.name, "sha256": row.sha256, "size": row.size, "rows": row.rows} for row in files]
    return JsonResponse(
        tournament_json(tournament) | {"round": round_json(newest) if newest else None, "files": listing}
    )


@endpoint("GET")
def rounds(request: HttpRequest, slug: str) -> JsonResponse:
    """Rounds that have opened, oldest first; `?status=open` filters."""
    found = get_object_or_404(Tournament, slug=slug).rounds.exclude(status=Round.Status.SCHEDULED)
    if status := request.GET.get("status"):
        found = found.filter(status=status.upper())
    return JsonResponse({"results": [round_json(round) for round in found.order_by("number")]})


@endpoint("GET")
def file(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One public file, with its hash as ETag."""
    sha256 = file_sha256(slug, name)
    if sha256 is None:
        raise Http404(f"there is no file {name}")
    return file_answer(request, sha256, name)


def file_sha256(slug: str, name: str) -> str | None:
    """Hash of a public file of a tournament; None when there is none of the name."""
    live = LIVE.fullmatch(name)
    if live:
        found = Round.objects.filter(tournament__slug=slug, number=int(live[2])).exclude(live_sha256="")
        sha256 = found.values_list("live_sha256", flat=True).first()
        return with_tickers(sha256, live[1]) if sha256 and live[1] in COLUMNS else sha256
    files = DatasetFile.objects.filter(dataset__tournament__slug=slug, name=name, is_public=True)
    return files.order_by("-dataset_id").values_list("sha256", flat=True).first()


@endpoint("GET")
def leaderboard(request: HttpRequest, slug: str) -> JsonResponse:
    """The newest board, or that of `?round=`."""
    boards = Leaderboard.objects.filter(tournament__slug=slug)
    if text := request.GET.get("round"):
        number = asked_number(text)
        boards = boards.none() if number is None else boards.filter(round__number=number)
    board = boards.select_related("round").first()
    if board is None:
        raise Http404("there is no board yet; the first comes when a round resolves")
    return JsonResponse({"round": board.round.number, "as_of": board.as_of.isoformat(), "results": board.rows})
