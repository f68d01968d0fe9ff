"""Diagnoses in the admin: to watch."""

from __future__ import annotations

from django.contrib import admin

from regatta.diagnostics.models import Diagnosis
from regatta.watching import WatchAdmin


@admin.register(Diagnosis)
class DiagnosisAdmin(WatchAdmin):
    """Newest first."""

    list_display = ["id", "model", "filename", "status", "message", "created_at", "updated_at"]
    list_filter = ["status"]
    list_select_related = ["model"]
    search_fields = ["model__name", "file_sha256"]
