"""Contributed models and their files in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.submissions.models import ContributedModel, Submission
from regatta.watching import WatchAdmin


@admin.register(ContributedModel)
class ContributedModelAdmin(WatchAdmin):
    """Models: what is said of them may be mended, and whether they are benchmarks."""

    list_display = ["name", "tournament", "owner", "is_benchmark", "created_at"]
    list_filter = ["tournament", "is_benchmark"]
    list_select_related = ["tournament", "owner"]
    search_fields = ["name", "owner__username"]
    editable = ("description", "link_url", "link_text", "is_benchmark")


@admin.register(Submission)
class SubmissionAdmin(WatchAdmin):
    """Files as they came, with what was wrong with them."""

    list_display = ["id", "model", "round", "status", "is_late", "rows", "size", "source", "received_at"]
    list_filter = ["status", "is_late", "source", "round__tournament"]
    list_select_related = ["model", "round__tournament"]
    search_fields = ["model__name", "file_sha256"]
