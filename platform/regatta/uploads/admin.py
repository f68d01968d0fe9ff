"""Uploads in the admin: to watch."""

from __future__ import annotations

from django.contrib import admin

from regatta.uploads.models import Upload
from regatta.watching import WatchAdmin


@admin.register(Upload)
class UploadAdmin(WatchAdmin):
    """Newest first; the keys of waiting files are not shown."""

    list_display = ["id", "owner", "purpose", "state", "original", "size", "created_at", "expires_at"]
    list_filter = ["purpose", "state"]
    list_select_related = ["owner"]
    search_fields = ["filename", "sha256", "owner__username"]
    exclude = ("key",)
