"""The admin's usual way with rows: to look at, not to write; what may be changed is named, every change logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from regatta.security import asked_number
from tournament.errors import BadInput


class ChosenRows:
    """For an admin class: rows that a form names must be numbers of rows, which Django takes on trust."""

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        """Do the action. Raises BadRequest."""
        if any(asked_number(chosen) is None for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("a chosen row is no number")
        answer: HttpResponseBase | None = super().response_action(request, queryset)  # type: ignore[misc]
        return answer


class WatchAdmin(ChosenRows, admin.ModelAdmin):  # type: ignore[type-arg,misc]
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
