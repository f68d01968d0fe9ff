"""Hosted models, their runs and the sandboxes in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.hosting.models import HostedModel, HostedRun, SandboxReport
from regatta.watching import WatchAdmin


@admin.register(HostedModel)
class HostedModelAdmin(WatchAdmin):
    """Versions of model files and what became of their checks."""

    list_display = ["model", "number", "format", "state", "is_assigned", "size", "created_at"]
    list_filter = ["state", "format", "is_assigned"]
    list_select_related = ["model"]
    search_fields = ["model__name", "sha256"]


@admin.register(HostedRun)
class HostedRunAdmin(WatchAdmin):
    """Runs, one for each version and round."""

    list_display = ["hosted", "round", "state", "seconds", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["hosted__model", "round__tournament"]


@admin.register(SandboxReport)
class SandboxReportAdmin(WatchAdmin):
    """What workers found when they tried to escape."""

    list_display = ["worker", "is_safe", "level", "checked_at"]
