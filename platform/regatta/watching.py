"""The admin's usual way with rows: to look at, not to write; what may be changed is named, every change logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from tournament.errors import BadInput


class WatchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only flows make and end; fields in `editable` may be changed by hand."""

    editable: tuple[str, ...] = ()
    list_per_page = 50
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Every field that is not editable."""
        fields = [field.name for field in self.model._meta.fields if field.name not in self.editable]
        return [name for name in fields if name not in (self.exclude or ())]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Nothing is added by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted by hand."""
        return False

    def do_each(
        self, request: HttpRequest, rows: Iterable[Model], deed: Callable[[Any], str], *, what: str
    ) -> None:  # fmt: skip
        """Do something to each row, tell what came of it, and log it under the name of who asked."""
        for row in rows:
            try:
                told = deed(row)
            except BadInput as refused:
                self.message_user(request, f"{row}: {refused}", messages.ERROR)
                continue
            self.message_user(request, f"{row}: {told}", messages.SUCCESS)
            self.log_change(request, row, f"{what}: {told}")
