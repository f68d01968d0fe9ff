"""Webhooks of whoever holds the key, and the log of what was sent to them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from regatta.api.envelope import Refusal, body, endpoint
from regatta.webhooks.delivering import EVENTS, create, replay
from regatta.webhooks.models import Delivery, Webhook

SHOWN = 100


@endpoint("GET", "POST", scope="manage")
def index(request: HttpRequest) -> JsonResponse:
    """Your webhooks; POST `{"url": "https://...", "events": [...]}` makes one (all events where none are named)."""
    owner = request.api_key.owner  # type: ignore[attr-defined]
    if request.method == "POST":
        data = body(request, "url")
        events = data.get("events", list(EVENTS))
        if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
            raise Refusal(422, "webhook_events", "events is no list of texts", f"choose of {', '.join(EVENTS)}")
        return JsonResponse(webhook_json(create(owner, data["url"], events)), status=201)
    found = Webhook.objects.filter(owner=owner, is_active=True).select_related("model")
    return JsonResponse({"results": [webhook_json(hook) for hook in found]})


@endpoint("GET", "DELETE", scope="manage")
def detail(request: HttpRequest, pk: int) -> JsonResponse:
    """One webhook; DELETE removes it: nothing more is sent."""
    hook = _own(request, pk)
    if request.method == "DELETE":
        Webhook.objects.filter(pk=hook.pk).update(is_active=False)
        hook.is_active = False
    return JsonResponse(webhook_json(hook))


@endpoint("GET", scope="manage")
def deliveries(request: HttpRequest, pk: int) -> JsonResponse:
    """The newest deliveries of a webhook, newest first."""
    found = _own(request, pk).deliveries.all()[:SHOWN]
    return JsonResponse({"results": [delivery_json(one) for one in found]})


@endpoint("POST", scope="manage")
def send_again(request: HttpRequest, pk: int) -> JsonResponse:
    """Send a delivery again that has found its end."""
    owner = request.api_key.owner  # type: ignore[attr-defined]
    found = get_object_or_404(Delivery.objects.select_related("webhook"), pk=pk, webhook__owner=owner)
    if not found.webhook.is_active or not replay(found, timezone.now()):
        raise Refusal(409, "not_ended", "it is still being tried, or its webhook was removed", "look at its state")
    return JsonResponse(delivery_json(found), status=202)


def webhook_json(hook: Webhook) -> dict[str, Any]:
    """A webhook as its owner sees it, with the secret that deliveries are signed with."""
    plain = {name: getattr(hook, name) for name in ("id", "url", "events", "is_active", "secret")}
    return plain | {"model": hook.model and hook.model.name, "created_at": hook.created_at.isoformat()}


def delivery_json(one: Delivery) -> dict[str, Any]:
    """A delivery with what came back."""
    times = {name: getattr(one, name) for name in ("created_at", "tried_at", "due_at")}
    plain = {name: getattr(one, name) for name in ("id", "event", "state", "attempt", "status", "answer", "body")}
    told = {name: None if value is None else value.isoformat() for name, value in times.items()}
    return plain | told | {"name": str(one.name)}


def _own(request: HttpRequest, pk: int) -> Webhook:
    owner = request.api_key.owner  # type: ignore[attr-defined]
    return get_object_or_404(Webhook.objects.select_related("model"), pk=pk, owner=owner)
