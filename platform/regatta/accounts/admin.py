"""Contributors, their keys, and the log of what staff did, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from regatta.accounts.models import ApiKey, User
from regatta.watching import ChosenRows, WatchAdmin

admin.site.site_header = admin.site.site_title = "Regatta, harbour office"
admin.site.index_title = "What goes on"


@admin.register(User)
class PeopleAdmin(ChosenRows, UserAdmin):  # type: ignore[type-arg,misc]
    """People, as Django keeps them."""


@admin.register(ApiKey)
class ApiKeyAdmin(WatchAdmin):
    """Keys without their hashes; they may be revoked."""

    list_display = ["name", "owner", "public_id", "created_at", "last_used_at", "revoked_at"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "public_id"]
    exclude = ["secret_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke: the selected keys stop working at once", permissions=["change"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiKey]) -> None:
        """Make keys useless."""
        self.do_each(request, rows, _revoked, what="revoke")


def _revoked(key: ApiKey) -> str:
    key.revoke(timezone.now())
    return "revoked"


@admin.register(LogEntry)
class LogEntryAdmin(WatchAdmin):
    """Who changed what, and when."""

    list_display = ["action_time", "user", "content_type", "object_repr", "change_message"]
    list_filter = ["action_time", "user"]
    list_select_related = ["user", "content_type"]
    search_fields = ["object_repr", "change_message"]
