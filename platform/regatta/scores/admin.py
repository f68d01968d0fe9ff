"""Scores and boards in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.scores.models import Leaderboard, Score
from regatta.watching import WatchAdmin


@admin.register(Score)
class ScoreAdmin(WatchAdmin):
    """Scores, partial and final."""

    list_display = [
        "round",
        "model",
        "day",
        "is_final",
        "corr",
        "mmc",
        "bmc",
        "fnc",
        "max_feature_exposure",
        "contribution",
        "mpc",
        "known_at",
    ]
    list_filter = ["is_final", "round__tournament"]
    list_select_related = ["round__tournament", "model"]
    search_fields = ["model__name", "=round__number"]


@admin.register(Leaderboard)
class LeaderboardAdmin(WatchAdmin):
    """Boards as they were rendered."""

    list_display = ["tournament", "round", "as_of", "etag"]
    list_filter = ["tournament"]
    list_select_related = ["tournament", "round__tournament"]
