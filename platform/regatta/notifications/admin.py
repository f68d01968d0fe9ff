"""Notices and preferences in the admin: to watch."""

from __future__ import annotations

from django.contrib import admin

from regatta.notifications.models import Notice, Preference
from regatta.watching import WatchAdmin


@admin.register(Notice)
class NoticeAdmin(WatchAdmin):
    """What was told to whom, and when it was mailed and read."""

    list_display = ["id", "owner", "event", "title", "created_at", "mailed_at", "read_at"]
    list_filter = ["event"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "key"]


@admin.register(Preference)
class PreferenceAdmin(WatchAdmin):
    """Who asked for what."""

    list_display = ["owner", "event", "way"]
    list_filter = ["event", "way"]
    list_select_related = ["owner"]
    ordering = ["owner_id", "event"]
