"""How an operation is declared: what it answers, what it takes, who may ask; all of it goes into the OpenAPI file.

room = Room("rounds")

@room.get("/tournaments/{slug:slug}/rounds/{int:number}/", RoundAnswer)
@open_to_all(of="round")
def detail(request, slug: str, number: int) -> RoundAnswer: ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import getdoc
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from ninja import Router
from pydantic import BaseModel, ConfigDict

from regatta.access import ANY, Who, access_of
from regatta.api.files import KINDS
from regatta.api.guard import Rule, Takes
from regatta.api.repeats import HEADER, MAX_KEY

View = TypeVar("View", bound=Callable[..., Any])
SECURITY = "key"
FILE = Any
"""What answers a file and no JSON of ours."""
FILE_TYPES = ("text/csv", "application/octet-stream")
COMMON = {
    "GET": (400, 401, 404, 422, 429), "POST": (400, 401, 404, 409, 411, 413, 422, 429),
    "PUT": (400, 401, 404, 411, 413, 422, 429), "DELETE": (400, 401, 404, 422, 429),
}  # fmt: skip
"""Refusals that every operation of a method may meet."""
WORDS = {
    400: "Not understood.", 401: "No valid key.", 403: "The key may not do this.", 404: "There is no such thing.",
    409: "Not now: it is done already, or under way.", 411: "Without its length.", 413: "Too large.",
    422: "Wrong, with every fault.",    429: "Too many requests; Retry-After says when to come back.",
}  # fmt: skip


class Asked(BaseModel):
    """What may be sent; a field or a parameter that nobody knows is refused, for it would be without effect."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """What is answered: these fields and no others."""


class Room:
    """The operations on one kind of thing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.router = Router(tags=[name])
        self.rules: dict[str, dict[str, Rule]] = {}
        self.names: dict[str, str] = {}

    def get(self, path: str, answers: Any, **rule: Any) -> Callable[[View], View]:
        """An operation that reads."""
        return self.operation("GET", path, answers, 200, **rule)

    def post(self, path: str, answers: Any, status: int = 201, **rule: Any) -> Callable[[View], View]:
        """An operation that does something, once however often it comes with one Idempotency-Key."""
        return self.operation("POST", path, answers, status, **rule)

    def put(self, path: str, answers: Any, **rule: Any) -> Callable[[View], View]:
        """An operation that sets something."""
        return self.operation("PUT", path, answers, 200, **rule)

    def delete(self, path: str, answers: Any, **rule: Any) -> Callable[[View], View]:
        """An operation that removes something, and tells what it was."""
        return self.operation("DELETE", path, answers, 200, **rule)

    def operation(
        self, method: str, path: str, answers: Any, status: int, *, name: str = "", **rule: Any
    ) -> Callable[[View], View]:
        """Take the view in; `rule` holds what `Rule` does beside the access, which the view declares itself."""

        def take_in(view: View) -> View:
            kept = Rule(access_of(view)[ANY], queries=_queries(view), **rule)
            route = path.lstrip("/").replace("{", "<").replace("}", ">")
            self.rules.setdefault(route, {})[method] = kept
            self.names[route] = name or self.names.get(route, "")
            summary, _, more = (getdoc(view) or "").partition("\n")
            self.router.add_api_operation(
                path, [method], view, response={status: answers}, summary=summary.rstrip("."),
                operation_id=f"{self.name}_{view.__name__}".replace("-", "_"),
                openapi_extra=_extra(method, kept, is_file=answers is FILE) | {"description": more.strip()},
            )  # fmt: skip
            return view

        return take_in


def _queries(view: Callable[..., Any]) -> frozenset[str]:
    """The parameters that a view reads from the query: ninja itself passes over all others."""
    hints = (hint for hint in get_type_hints(view, include_extras=True).values() if get_origin(hint) is Annotated)
    return frozenset(name for hint in hints for name in get_args(hint)[0].model_fields)


def _extra(method: str, rule: Rule, *, is_file: bool) -> dict[str, Any]:
    """What the OpenAPI file says of an operation beside its parameters and answer."""
    access = rule.access
    refused = set(COMMON[method])
    extra: dict[str, Any] = {"x-access": {"who": access.who.value, "scope": access.scope, "of": access.of}}
    if access.who != Who.ANYBODY:
        extra["security"] = [{SECURITY: []}]
        refused.add(403)
    elif access.reads_key:
        extra["security"] = [{}, {SECURITY: []}]
    extra["responses"] = {status: _refused(WORDS[status]) for status in sorted(refused)}
    if method == "POST":
        schema = {"type": "string", "maxLength": MAX_KEY}
        extra["parameters"] = [{"in": "header", "name": HEADER, "schema": schema, "required": False}]
    if is_file:
        extra["responses"] |= _parts_of_file()
    if rule.takes == Takes.FILE:
        name = {"type": "string", "maxLength": 120}
        about = {"in": "header", "name": "X-Filename", "schema": name, "required": False}
        extra.setdefault("parameters", []).append(about | {"description": "What the file is called."})
        data = {"schema": {"type": "string", "format": "binary"}}
        extra["requestBody"] = {"content": dict.fromkeys(FILE_TYPES, data), "required": True}
    return extra


def _parts_of_file() -> dict[int, Any]:
    """A file whole, in part, or not at all, because the part lies beyond its end."""
    content: dict[str, Any] = {kind: {} for kind in (*KINDS.values(), "application/octet-stream")}
    return {
        200: {"content": content}, 206: {"description": "A part.", "content": content},
        416: {"description": "The part asked for is not in the file."},
    }  # fmt: skip


def _refused(words: str) -> dict[str, Any]:
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "For programs."},
                "message": {"type": "string", "description": "What was found."},
                "hint": {"type": "string", "description": "What to do."},
                "faults": {"type": "array", "items": {"type": "object"}, "description": "Every fault of a file."},
            },
        }
    },
}
"""The one envelope."""
