"""The API as a whole: its rooms, their addresses behind their rules, and the OpenAPI file."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import JSONRenderer

from regatta.access import Access, Who
from regatta.api.envelope import Refusal, json_of, texts_of
from regatta.api.guard import Rule, guarded
from regatta.api.v1 import (
    accounts,
    boards,
    contributed,
    datasets,
    diagnoses,
    ensemble,
    hosted,
    inbox,
    jobs,
    points,
    portfolio,
    rounds,
    scores,
    status,
    submissions,
    tournaments,
    webhooks,
)
from regatta.api.v1.rooms import ERROR, SECURITY
from regatta.security import is_kept

PREFIX = "/api/v1/"
ROOMS = (
    tournaments.room, datasets.room, rounds.room, boards.room, scores.room, ensemble.room, portfolio.room,
    contributed.room, submissions.room, diagnoses.room, hosted.room, points.room, inbox.room, webhooks.room, jobs.room,
    status.room, accounts.room,
)  # fmt: skip
ABOUT = """Everything that the pages show, and more.

Keys: `Authorization: Token <public_id>$<secret>`. Times are UTC, those of a replay its own. Lists come in pages: send
`next` as `cursor`. A POST with an `Idempotency-Key` is done once. GET answers bear an ETag. Every refusal has the
envelope `Error`."""


class Encoder(DjangoJSONEncoder):
    """Times whole, with their zone."""

    def default(self, o: Any) -> Any:
        """What JSON has no form for."""
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class Renderer(JSONRenderer):
    """Answers as JSON."""

    encoder_class = Encoder


class Reader(Parser):
    """Bodies as JSON whose text a database can keep."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body. Raises Refusal."""
        data = json_of(request)
        if not is_kept(texts_of(data)):
            raise Refusal(422, "bad_text", "a field holds NUL or half a surrogate pair", "send text without it")
        return data


class Api(NinjaAPI):
    """ninja's operations; what goes wrong in them is told by the guard around them."""

    def on_exception(self, request: HttpRequest, exc: Any) -> NoReturn:
        """Raise it again."""
        raise exc


api = Api(
    title="Regatta", version="1", description=ABOUT, openapi_url=None, docs_url=None, renderer=Renderer(),
    parser=Reader(), urls_namespace="api-v1",
)  # fmt: skip
for _room in ROOMS:
    api.add_router("", _room.router)


def addresses() -> list[URLPattern]:
    """Every operation's address, guarded, and that of the OpenAPI file."""
    views = {str(found.pattern): found.callback for found in api.urls[0] if isinstance(found, URLPattern)}
    found = [
        path(route, guarded(views[route], rules), name=room.names[route] or None)
        for room in ROOMS
        for route, rules in room.rules.items()
    ]
    return [*found, path("openapi.json", openapi, name="openapi"), path("docs/", docs)]


def _openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(openapi_text(), content_type="application/json")


def _docs(request: HttpRequest) -> HttpResponse:
    return redirect("docs_page", page="api")


_PLAIN = {"GET": Rule(Access(Who.ANYBODY, reads_key=False))}
openapi, docs = guarded(_openapi, _PLAIN), guarded(_docs, _PLAIN)


@cache
def openapi_text() -> str:
    """The OpenAPI file."""
    return json.dumps(openapi_schema())


def openapi_schema() -> dict[str, Any]:
    """The same, as data."""
    schema: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX.lstrip("/")))
    schema["components"]["schemas"]["Error"] = ERROR
    about = "`Token <public_id>$<secret>`, from your account or POST /api/v1/keys/."
    key = {"type": "apiKey", "in": "header", "name": "Authorization", "description": about}
    schema["components"]["securitySchemes"] = {SECURITY: key}
    return schema
