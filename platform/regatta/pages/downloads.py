"""Tables as files: CSV and JSON of what a page shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse, JsonResponse

FORMULA = ("=", "+", "@", "\t", "\r")
"""Text that a spreadsheet would run; names of models and assets begin with letters, so only foreign text has these."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A CSV download; empty cells for what is not known."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return _named(HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8"), f"{name}.csv")


def json_file(name: str, data: dict[str, Any]) -> HttpResponse:
    """A JSON download."""
    return _named(JsonResponse(data), f"{name}.json")


def _named(answer: HttpResponse, filename: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
