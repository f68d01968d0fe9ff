"""Webhooks of whoever holds the key, and the log of what was sent to them; their owner's alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners
from regatta.api.envelope import Refusal
from regatta.api.guard import Takes, contributor
from regatta.api.v1.finding import the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told
from regatta.webhooks.delivering import EVENTS, create, replay
from regatta.webhooks.models import Delivery, Webhook

room = Room("webhooks")
HOOK = ("id", "url", "events", "is_active", "secret", "created_at")
DELIVERY = (
    "id", "name", "event", "state", "attempt", "status", "answer", "body", "created_at", "tried_at", "due_at",
)  # fmt: skip


class NewWebhook(Asked):
    """An address that wants to be told."""

    url: str = Field(max_length=6000)
    events: list[str] = Field(list(EVENTS), max_length=100)


class WebhookAnswer(Told):
    """A webhook as its owner sees it."""

    id: int
    url: str
    events: list[str]
    is_active: bool
    secret: str = Field(description="What deliveries are signed with.")
    model: str | None
    created_at: datetime


class DeliveryAnswer(Told):
    """A message with what came back."""

    id: int
    name: str
    event: str
    state: str
    attempt: int
    status: int | None
    answer: str
    body: str
    created_at: datetime
    tried_at: datetime | None
    due_at: datetime | None


@room.get("/webhooks/", Page[WebhookAnswer])
@for_contributors(scope="manage")
def index(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Your webhooks with their secrets."""
    found = Webhook.objects.filter(owner=contributor(request), is_active=True).select_related("model")
    return page(request, found, paging, _hook)


@room.post("/webhooks/", WebhookAnswer, takes=Takes.JSON, is_secret=True)
@for_contributors(scope="manage")
def make(request: HttpRequest, data: NewWebhook) -> dict[str, Any]:
    """Make a webhook, of all events where none are named."""
    return _hook(create(contributor(request), data.url, data.events))


@room.get("/webhooks/{int:pk}/", WebhookAnswer)
@for_owners("webhook", scope="manage")
def detail(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One webhook."""
    return _hook(_own(request, pk))


@room.delete("/webhooks/{int:pk}/", WebhookAnswer)
@for_owners("webhook", scope="manage")
def remove(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Remove a webhook: nothing more is sent to it."""
    hook = _own(request, pk)
    Webhook.objects.filter(pk=hook.pk).update(is_active=False)
    hook.is_active = False
    return _hook(hook)


@room.get("/webhooks/{int:pk}/deliveries/", Page[DeliveryAnswer])
@for_owners("webhook", scope="manage")
def deliveries(request: HttpRequest, pk: int, paging: Query[Paging]) -> dict[str, Any]:
    """What was sent, and what came back, the newest first."""
    return page(request, _own(request, pk).deliveries.all(), paging, _delivery, newest_first=True)


@room.post("/deliveries/{int:pk}/replay/", DeliveryAnswer, 202)
@for_owners("delivery", scope="manage")
def send_again(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Send a delivery again that has found its end."""
    owner = contributor(request)
    found = the(Delivery.objects.select_related("webhook"), "delivery", webhook__owner=owner, pk=pk)
    if not found.webhook.is_active or not replay(found, timezone.now()):
        raise Refusal(409, "not_ended", "it is still being tried, or its webhook was removed", "look at its state")
    return _delivery(found)


def _hook(hook: Webhook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in HOOK} | {"model": hook.model and hook.model.name}


def _delivery(one: Delivery) -> dict[str, Any]:
    return {name: getattr(one, name) for name in DELIVERY} | {"name": str(one.name)}


def _own(request: HttpRequest, pk: int) -> Webhook:
    return the(Webhook.objects.select_related("model"), "webhook", owner=contributor(request), pk=pk)
