"""Selectors, regimes, weights and meta-models in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion, TrainingProgress, Watch
from regatta.watching import WatchAdmin


@admin.register(SelectorVersion)
class SelectorVersionAdmin(WatchAdmin):
    """Trained selectors: who leads, since when and by what gain."""

    list_display = [
        "family", "tournament", "status", "trained_through", "gain", "gain_se", "created_at", "promoted_at",
        "retired_at",
    ]  # fmt: skip
    list_filter = ["tournament", "status", "family"]
    list_select_related = ["tournament"]


@admin.register(TrainingProgress)
class TrainingProgressAdmin(WatchAdmin):
    """Trainings under way and when each was last saved."""

    list_display = ["family", "tournament", "trained_through", "saved_at"]
    list_select_related = ["tournament"]


@admin.register(RegimeState)
class RegimeStateAdmin(WatchAdmin):
    """The regime of each round as told at its opening."""

    list_display = ["round", "name", "novelty", "known_at"]
    list_filter = ["round__tournament"]
    list_select_related = ["round__tournament"]
    ordering = ["-round__opens_at"]

    @admin.display(description="likeliest")
    def name(self, state: RegimeState) -> str:
        """The likeliest regime."""
        return str(state.names[state.label])


@admin.register(RoundWeights)
class RoundWeightsAdmin(WatchAdmin):
    """Weights of every family in every round."""

    list_display = ["round", "family", "is_champion", "answers", "corr", "known_at"]
    list_filter = ["is_champion", "answers", "family", "round__tournament"]
    list_select_related = ["round__tournament"]
    ordering = ["-id"]


@admin.register(MetaModel)
class MetaModelAdmin(WatchAdmin):
    """The champion's blend of each round."""

    list_display = ["round", "family", "corr", "equal_corr", "stake_corr", "effective_models", "turnover", "known_at"]
    list_filter = ["family", "round__tournament"]
    list_select_related = ["round__tournament"]
    ordering = ["-id"]


@admin.register(Watch)
class WatchOfRoundAdmin(WatchAdmin):
    """The monitors, round by round."""

    list_display = ["round", "family", "expected", "live", "rounds", "fall", "has_drifted", "known_at"]
    list_filter = ["has_drifted", "round__tournament"]
    list_select_related = ["round__tournament"]
    ordering = ["-round__opens_at"]
