"""The API's operations as people read them, made of the OpenAPI file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from regatta.access import Who
from regatta.api.v1.site import PREFIX, openapi_text

NEEDS = {Who.ANYBODY: "–", Who.STAFF: "staff", Who.OWNER_OR_STAFF: "{scope}, own or staff", Who.OWNER: "{scope}, own"}

CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    method: str
    address: str
    """Behind the API's prefix, with `NAME` for what stands in for a name."""
    key: str
    """What a key must allow."""
    summary: SafeString
    more: SafeString
    query: tuple[str, ...]
    body: str
    """Fields of the JSON, or that it is a file."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The operations on one kind of thing."""

    name: str
    operations: tuple[Operation, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    """Every operation, by kind of thing, in the order of the file."""
    spec = json.loads(openapi_text())
    found: dict[str, list[Operation]] = {}
    for path, methods in spec["paths"].items():
        for method, told in methods.items():
            found.setdefault(told["tags"][0], []).append(_operation(path, method, told, spec["components"]["schemas"]))
    return tuple(Chapter(name, tuple(operations)) for name, operations in found.items())


def _operation(path: str, method: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    address = path.removeprefix(PREFIX)
    for one in told["parameters"]:
        address = address.replace(f"{{{one['name']}}}", one["name"].upper())
    query = tuple(one["name"] for one in told["parameters"] if one["in"] == "query")
    access = told["x-access"]
    key = NEEDS.get(access["who"], "{scope}").format(scope=access["scope"])
    return Operation(
        method.upper(), address, key, _coded(told["summary"]), _coded(told["description"]), query, _body(told, schemas)
    )


def _coded(text: str) -> SafeString:
    """Text for a page; what stands between backticks is code."""
    return mark_safe(CODE.sub(r"<code>\1</code>", escape(text)))


def _body(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    content = told.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return "a file" if content else ""
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    return ", ".join(schemas[name]["properties"])
