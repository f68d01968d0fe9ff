"""The platform's predictors in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.predictors.models import PredictorVersion
from regatta.watching import WatchAdmin


@admin.register(PredictorVersion)
class PredictorVersionAdmin(WatchAdmin):
    """Trained predictors and what they had seen."""

    list_display = ["family", "tournament", "trained_in", "last_era", "created_at"]
    list_filter = ["tournament", "family"]
    list_select_related = ["tournament"]
