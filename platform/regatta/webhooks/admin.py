"""Webhooks and deliveries in the admin: to watch; a webhook may be switched off."""

from __future__ import annotations

from django.contrib import admin

from regatta.watching import WatchAdmin
from regatta.webhooks.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(WatchAdmin):
    """Addresses and what they are told of; what secrets are made of is not shown."""

    list_display = ["id", "owner", "url", "events", "model", "is_active", "created_at"]
    list_filter = ["is_active"]
    list_select_related = ["owner", "model"]
    search_fields = ["url", "owner__username"]
    exclude = ("salt",)
    editable = ("is_active",)


@admin.register(Delivery)
class DeliveryAdmin(WatchAdmin):
    """What was sent, when, and what came back."""

    list_display = ["id", "webhook", "event", "state", "attempt", "status", "created_at", "tried_at", "due_at"]
    list_filter = ["state", "event"]
    list_select_related = ["webhook"]
