"""Scalars of the client's that GraphQL does not have."""

from __future__ import annotations

from typing import Any, NewType

import strawberry

Untouched = NewType("Untouched", object)
"""A value that the client hands on as it comes: number or text."""
Yes = NewType("Yes", object)
"""`stake_drain` declares its variable as `bool`, in small letters."""


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


SCALARS: dict[object, Any] = {
    Untouched: strawberry.scalar(name="Any", serialize=lambda value: value, parse_value=lambda value: value),
    Yes: strawberry.scalar(name="bool", serialize=_truth, parse_value=_truth),
}
