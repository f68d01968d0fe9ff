"""Tournaments, datasets and rounds in the admin, with the steps of the schedule as actions."""

from __future__ import annotations

from functools import partial

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from regatta.rounds import operations
from regatta.rounds.models import Dataset, DatasetFile, Round, Tournament
from regatta.watching import WatchAdmin


@admin.register(Tournament)
class TournamentAdmin(WatchAdmin):
    """Tournaments: names may be changed, the schedule paused, resumed and caught up."""

    list_display = ["name", "slug", "market", "clock_at", "is_paused", "created_at"]
    editable = ("name", "description")
    actions = ["advance", "pause", "resume"]

    @admin.action(
        description="Do all that is due (open, close, score); a replay moves on to what is next", permissions=["change"]
    )
    def advance(self, request: HttpRequest, rows: QuerySet[Tournament]) -> None:
        """What the schedule would do at its next tick."""
        deed = lambda one: f"asked for as job {operations.ask_advance(one, one.now()).pk}"  # noqa: E731
        self.do_each(request, rows, deed, what="advance")

    @admin.action(description="Pause: no round opens, closes or resolves", permissions=["change"])
    def pause(self, request: HttpRequest, rows: QuerySet[Tournament]) -> None:
        """Stop the schedule."""
        self._pause(request, rows, is_paused=True)

    @admin.action(description="Resume: what became due meanwhile is done at the next tick", permissions=["change"])
    def resume(self, request: HttpRequest, rows: QuerySet[Tournament]) -> None:
        """Restart the schedule."""
        self._pause(request, rows, is_paused=False)

    def _pause(self, request: HttpRequest, rows: QuerySet[Tournament], *, is_paused: bool) -> None:
        word = "paused" if is_paused else "resumed"
        deed = lambda one: word if operations.pause(one, is_paused=is_paused) else f"was {word} already"  # noqa: E731
        self.do_each(request, rows, deed, what=word)


class FileInline(admin.TabularInline):  # type: ignore[type-arg]
    """Files of a dataset."""

    model = DatasetFile
    extra = 0
    can_delete = False
    readonly_fields = ["name", "sha256", "size", "rows", "is_public"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Files are made by publishing."""
        return False


@admin.register(Dataset)
class DatasetAdmin(WatchAdmin):
    """Datasets with their files and what the quality check found."""

    list_display = ["tournament", "version", "status", "created_at", "published_at"]
    list_filter = ["tournament", "status"]
    list_select_related = ["tournament"]
    inlines = [FileInline]


@admin.register(Round)
class RoundAdmin(WatchAdmin):
    """Rounds: each action takes the one step whose turn it is, and says why when it is not."""

    list_display = ["tournament", "number", "status", "opens_at", "closes_at", "resolves_at", "panel", "sealed_at"]
    list_filter = ["tournament", "status"]
    list_select_related = ["tournament"]
    ordering = ["-opens_at"]
    search_fields = ["=number", "panel_sha256"]
    actions = ["open_rounds", "close_rounds", "score_rounds"]

    @admin.display(description="models")
    def panel(self, round: Round) -> int:
        """Models in the sealed panel."""
        return len(round.panel_models)

    @admin.action(description="Open: freeze universe, features and context", permissions=["change"])
    def open_rounds(self, request: HttpRequest, rows: QuerySet[Round]) -> None:
        """Open rounds that are due."""
        self._take(request, rows, "open")

    @admin.action(description="Close: seal the predictions, weigh, blend and choose the book", permissions=["change"])
    def close_rounds(self, request: HttpRequest, rows: QuerySet[Round]) -> None:
        """Close rounds that are due."""
        self._take(request, rows, "close")

    @admin.action(description="Score: write final scores, pay stakes, render the board", permissions=["change"])
    def score_rounds(self, request: HttpRequest, rows: QuerySet[Round]) -> None:
        """Resolve rounds that are due."""
        self._take(request, rows, "score")

    def _take(self, request: HttpRequest, rows: QuerySet[Round], step: str) -> None:
        ordered = rows.select_related("tournament").order_by("number")
        self.do_each(request, ordered, partial(_deed, step), what=step)


def _deed(step: str, round: Round) -> str:
    return f"asked for as job {operations.ask_step(round, step, round.tournament.now()).pk}"
