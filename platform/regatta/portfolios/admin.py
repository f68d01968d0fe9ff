"""Books and their values in the admin."""

from __future__ import annotations

from django.contrib import admin

from regatta.portfolios.models import BookAttribution, NavPoint, Rebalance
from regatta.watching import WatchAdmin


@admin.register(Rebalance)
class RebalanceAdmin(WatchAdmin):
    """The book chosen at each close."""

    list_display = ["round", "as_of", "gross", "net", "turnover", "cost", "expected_risk", "known_at"]
    list_filter = ["round__tournament"]
    list_select_related = ["round__tournament"]
    ordering = ["-id"]


@admin.register(NavPoint)
class NavPointAdmin(WatchAdmin):
    """Value and returns of each holding period."""

    list_display = ["tournament", "date", "nav", "gross_return", "cost", "net_return", "turnover"]
    list_filter = ["tournament"]
    list_select_related = ["tournament"]
    ordering = ["-date"]


@admin.register(BookAttribution)
class BookAttributionAdmin(WatchAdmin):
    """Styles that returns came from."""

    list_display = ["nav", "names", "realised", "known_at"]
    list_filter = ["nav__tournament"]
    list_select_related = ["nav"]
    ordering = ["-id"]
