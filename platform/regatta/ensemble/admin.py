"""Selectors, regimes, weights and meta-models in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from regatta import artifacts
from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion, TrainingProgress, Watch
from regatta.watching import WatchAdmin
from tournament.selectors.protocol import State


@admin.register(SelectorVersion)
class SelectorVersionAdmin(WatchAdmin):
    """Trained selectors: who leads, since when and by what gain."""

    list_display = [
        "family", "tournament", "status", "trained_through", "gain", "gain_se", "created_at", "promoted_at",
        "retired_at",
    ]  # fmt: skip
    list_filter = ["tournament", "status", "family"]
    list_select_related = ["tournament"]

    def get_readonly_fields(self, request: HttpRequest, obj: SelectorVersion | None = None) -> list[str]:
        """Every field, and what made its state."""
        return [*super().get_readonly_fields(request, obj), "made_by"]

    @admin.display(description="state made by")
    def made_by(self, version: SelectorVersion) -> str:
        """Whether today's code made the stored state, and a warning where it did not."""
        if not version.state_sha256:
            return "-"
        state = State.from_bytes(artifacts.get(version.state_sha256))
        return state.warning or f"today's code ({state.code[:8]})"


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
