"""The ledger in the admin: accounts, transfers and their entries, which nobody edits."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from regatta.stakes.models import Entry, LedgerAccount, Transfer
from regatta.watching import WatchAdmin


class EntryInline(admin.TabularInline):  # type: ignore[type-arg]
    """The sides of a transfer."""

    model = Entry
    extra = 0
    can_delete = False
    readonly_fields = ["account", "amount"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Entries are made by the ledger."""
        return False


@admin.register(Transfer)
class TransferAdmin(WatchAdmin):
    """Movements of points with both sides."""

    list_display = ["id", "kind", "key", "round", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["round__tournament"]
    search_fields = ["key"]
    inlines = [EntryInline]


@admin.register(LedgerAccount)
class LedgerAccountAdmin(WatchAdmin):
    """Wallets, stakes and the treasury."""

    list_display = ["id", "kind", "owner", "model"]
    list_filter = ["kind"]
    list_select_related = ["owner", "model"]
    search_fields = ["owner__username", "model__name"]


@admin.register(Entry)
class EntryAdmin(WatchAdmin):
    """Every side of every transfer."""

    list_display = ["id", "transfer", "account", "amount"]
    list_select_related = ["transfer", "account"]
    search_fields = ["transfer__key"]
