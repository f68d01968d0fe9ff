"""The inbox, and what shall be told in it and by mail; its owner's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors
from regatta.api.guard import Takes, contributor
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told
from regatta.notifications.models import Event, Notice, Preference, Way, unread

room = Room("inbox")
PLAIN = ("id", "event", "title", "text", "link", "created_at", "read_at")
LARGEST = 2**63 - 1


class NoticeAnswer(Told):
    """One message."""

    id: int
    event: str
    title: str
    text: str
    link: str = Field(description="A path on this site.")
    created_at: datetime
    read_at: datetime | None


class Read(Asked):
    """How far the inbox was read."""

    newest: int = Field(ge=0, le=LARGEST, description="Of the newest notice that was read.")


class Unread(Told):
    """How many are left."""

    unread: int


class Preferences(Asked):
    """How to be told of what; events that are not named stay as they are."""

    ways: dict[Event, Way]


class ChosenWays(Told):
    """How each event is told."""

    ways: dict[str, str]


@room.get("/inbox/", Page[NoticeAnswer])
@for_contributors(scope="read")
def index(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Your notices, the newest first."""
    found = Notice.objects.filter(owner=contributor(request))
    return page(request, found, paging, lambda row: {name: getattr(row, name) for name in PLAIN}, newest_first=True)


@room.post("/inbox/read/", Unread, 200, takes=Takes.JSON)
@for_contributors(scope="manage")
def read(request: HttpRequest, data: Read) -> dict[str, int]:
    """Mark notices as read up to one."""
    owner = contributor(request)
    Notice.objects.filter(owner=owner, read_at=None, pk__lte=data.newest).update(read_at=timezone.now())
    return {"unread": unread(owner)}


@room.get("/inbox/preferences/", ChosenWays)
@for_contributors(scope="read")
def preferences(request: HttpRequest) -> dict[str, Any]:
    """What you are told of, and how: off, inbox or mail."""
    return {"ways": {event.value: way.value for event, way in Preference.of(contributor(request)).items()}}


@room.put("/inbox/preferences/", ChosenWays, takes=Takes.JSON)
@for_contributors(scope="manage")
def choose(request: HttpRequest, data: Preferences) -> dict[str, Any]:
    """Choose how to be told of what; it counts from the next round on."""
    for event, way in data.ways.items():
        Preference.objects.update_or_create(owner=contributor(request), event=event, defaults={"way": way})
    return preferences(request)
