"""Jobs in the admin: to watch, and to try again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from regatta.jobs.flow import retry
from regatta.jobs.models import Job
from regatta.watching import WatchAdmin


@admin.register(Job)
class JobAdmin(WatchAdmin):
    """Newest first, with what failed and why."""

    list_display = ["id", "kind", "queue", "state", "attempt", "worker", "created_at", "finished_at", "fault", "reason"]
    list_filter = ["state", "queue", "kind", "fault"]
    search_fields = ["key", "reason"]
    actions = ["try_again"]

    @admin.action(description="Try again: queue failed jobs anew", permissions=["change"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        """Promise failed jobs anew."""
        deed = lambda job: "queued again" if retry(job, now=timezone.now()) else "has not failed, left as it is"  # noqa: E731
        self.do_each(request, rows, deed, what="try again")
