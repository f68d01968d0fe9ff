"""Paper accounts, plans and their trail in the admin: to look at; accounts are opened on the page of orders."""

from __future__ import annotations

from django.contrib import admin

from regatta.orders.models import OrderEvent, OrderPlan, PaperAccount
from regatta.watching import WatchAdmin


@admin.register(PaperAccount)
class PaperAccountAdmin(WatchAdmin):
    """Accounts; the salt of their keys stays unseen."""

    exclude = ["salt"]
    list_display = ["name", "tournament", "owner", "cash", "opened_at"]
    list_filter = ["tournament"]
    list_select_related = ["tournament", "owner"]


@admin.register(OrderPlan)
class OrderPlanAdmin(WatchAdmin):
    """Plans with their hashes and times."""

    list_display = ["id", "account", "book", "state", "value", "planned_at", "confirmed_at", "filled_on"]
    list_filter = ["state", "account__tournament"]
    list_select_related = ["account", "book"]


@admin.register(OrderEvent)
class OrderEventAdmin(WatchAdmin):
    """Who did what."""

    list_display = ["at", "plan", "actor", "what"]
    list_select_related = ["plan__account", "actor"]
    ordering = ["-id"]
