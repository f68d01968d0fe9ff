"""Lists in pages: a page begins after the last thing of the page before, so that what comes or goes meanwhile
shifts nothing.

The cursor holds that thing's place in the order. It is signed for its list, so that no other can be made up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Generic, Literal, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from pydantic import Field

from regatta.api.envelope import Refusal
from regatta.api.v1.rooms import Asked, Told

SALT = "regatta.api.pages"
USUAL, MOST = 100, 500
Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)


class Paging(Asked):
    """Which part of a list."""

    limit: int = Field(USUAL, ge=1, le=MOST, description="Things on a page.")
    cursor: str = Field("", max_length=300, description="`next` of the page before.")


class OrderedPaging(Paging):
    """Which part of a list that runs with time."""

    order: Literal["oldest", "newest"] = Field("oldest", description="What comes first.")


class Page(Told, Generic[Item]):
    """A part of a list."""

    results: list[Item]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


def page(
    request: HttpRequest,
    rows: QuerySet[Row, Any],
    paging: Paging,
    told: Callable[[Any], Any],
    *,
    by: tuple[str, ...] = ("pk",),
    newest_first: bool | None = None,
) -> dict[str, Any]:
    """One page of the rows in the order of the columns `by`, which together no two rows share; one query."""
    down = newest_first if newest_first is not None else getattr(paging, "order", "oldest") == "newest"
    after = _after(request, paging, down)
    if after is not None:
        rows = rows.filter(_beyond(by, after, "lt" if down else "gt"))
    found = list(rows.order_by(*(f"{'-' if down else ''}{column}" for column in by))[: paging.limit + 1])
    shown = found[: paging.limit]
    is_last = len(found) == len(shown)
    return {"results": [told(row) for row in shown], "next": None if is_last else _next(request, down, shown[-1], by)}


def _beyond(by: tuple[str, ...], after: Sequence[Any], way: str) -> Q:
    """Rows whose columns come after those of the row before, compared as one."""
    found = Q(**{f"{by[-1]}__{way}": after[-1]})
    for column, value in zip(by[-2::-1], after[-2::-1], strict=True):
        found = Q(**{f"{column}__{way}": value}) | (Q(**{column: value}) & found)
    return found


def slice_of(
    request: HttpRequest, items: Sequence[Any], paging: Paging, told: Callable[[Any], Any], *, of: str
) -> dict[str, Any]:  # fmt: skip
    """One page of a list that is stored whole and never changes; `of` names the list."""
    start = _after(request, paging, of)
    start = start if isinstance(start, int) else 0
    end = start + paging.limit
    following = None if end >= len(items) else signing.dumps(end, salt=_salt(request, of))
    return {"results": [told(item) for item in items[start:end]], "next": following}


def _after(request: HttpRequest, paging: Paging, of: object) -> Any:
    """What the cursor holds; None on the first page. Raises Refusal for a cursor that is not of this list."""
    if not paging.cursor:
        return None
    try:
        return signing.loads(paging.cursor, salt=_salt(request, of))
    except signing.BadSignature:
        raise Refusal(422, "bad_cursor", "the cursor is not of this list", "take `next` of the page before") from None


def _next(request: HttpRequest, of: object, row: Any, by: tuple[str, ...]) -> str:
    place = [reduce(getattr, column.split("__"), row) for column in by]
    return signing.dumps(place, salt=_salt(request, of))


def _salt(request: HttpRequest, of: object) -> str:
    return f"{SALT} {request.path} {of}"
