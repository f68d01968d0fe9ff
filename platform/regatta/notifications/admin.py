"""Notices and preferences in the admin: to watch."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from regatta.notifications.mailing import send_again
from regatta.notifications.models import Mail, Notice, Preference
from regatta.watching import WatchAdmin


@admin.register(Notice)
class NoticeAdmin(WatchAdmin):
    """What was told to whom, and when it was read."""

    list_display = ["id", "owner", "event", "title", "created_at", "read_at"]
    list_filter = ["event"]
    list_select_related = ["owner"]
    search_fields = ["owner__username", "key"]


@admin.register(Mail)
class MailAdmin(WatchAdmin):
    """Mails on their way, sent, and given up, with what the mail server said."""

    list_display = ["id", "notice", "to", "state", "attempt", "error", "created_at", "tried_at", "due_at"]
    list_filter = ["state"]
    list_select_related = ["notice__owner"]
    search_fields = ["notice__owner__username", "error"]
    actions = ["send_again"]

    @admin.display(ordering="notice__owner")
    def to(self, mail: Mail) -> str:
        """Whose it is."""
        return str(mail.notice.owner)

    @admin.action(description="Send again: try given-up mails anew", permissions=["change"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Mail]) -> None:
        """Try mails once more that were given up, when the mail server is mended."""
        deed = lambda mail: "is tried again" if send_again(mail, timezone.now()) else "was not given up, left as it is"  # noqa: E731
        self.do_each(request, rows, deed, what="send again")


@admin.register(Preference)
class PreferenceAdmin(WatchAdmin):
    """Who asked for what."""

    list_display = ["owner", "event", "way"]
    list_filter = ["event", "way"]
    list_select_related = ["owner"]
    ordering = ["owner_id", "event"]
