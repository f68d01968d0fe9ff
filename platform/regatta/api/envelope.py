"""How the API is asked and how it refuses: one envelope for every error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views import defaults

from regatta.accounts.models import ApiKey, authenticate_token
from regatta.security import is_kept
from tournament.errors import Fault

PREFIX = "/api/"
MAX_JSON_BYTES = 64_000
USED_EVERY = timedelta(minutes=5)
"""How exactly a key's last use is kept: a write on every request would be a write too many."""


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, message: str, hint: str = "", faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint, self.faults = status, code, message, hint, faults

    def answer(self) -> JsonResponse:
        """The envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.faults:
            error["faults"] = [asdict(fault) for fault in self.faults]
        return JsonResponse({"error": error}, status=self.status)


def json_of(request: HttpRequest) -> Any:
    """The JSON of a request. Raises Refusal where there is none."""
    refuse_larger(request, MAX_JSON_BYTES)
    try:
        return json.loads(request.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "bad_json", "the body is not JSON", "send an object") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def texts_of(value: Any) -> Iterable[object]:
    """Every text in nested JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)
    else:
        yield value


def body(request: HttpRequest, *required: str) -> dict[str, Any]:
    """The JSON object of a request. Raises Refusal naming what is missing."""
    data = json_of(request)
    missing = [name for name in required if not isinstance(data, dict) or not isinstance(data.get(name), str)]
    if missing:
        raise Refusal(422, "missing_field", f"text fields missing: {', '.join(missing)}", f"send {', '.join(required)}")
    if not is_kept(data.values()):
        raise Refusal(422, "bad_text", "a field holds NUL or half a surrogate pair", "send text without it")
    return dict(data)


def refuse_larger(request: HttpRequest, limit: int) -> None:
    """Refuse a body that its head announces as too large, before reading it. Raises Refusal.

    A body that is sent in chunks announces nothing, and would be read as an empty one.
    """
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced and "Transfer-Encoding" in request.headers:
        raise Refusal(411, "no_length", "the request does not say how long it is", "send a Content-Length")
    announced = announced or "0"
    if not announced.isdecimal() or int(announced[:20]) > limit:
        raise Refusal(413, "too_large", f"the body has {announced[:20]} bytes, the limit is {limit}", "send less")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400 as the API or as a page, by the address; so the two below."""
    if request.path.startswith(PREFIX):
        return Refusal(400, "bad_request", "the request could not be understood").answer()
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404."""
    if request.path.startswith(PREFIX):
        return Refusal(404, "not_found", "there is nothing at this address", "its docs are at /docs/api/").answer()
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500."""
    if request.path.startswith(PREFIX):
        return Refusal(500, "server_error", "something failed here", "try again; it is logged").answer()
    return defaults.server_error(request)


def key_of(request: HttpRequest, scope: str = "") -> ApiKey:
    """The request's key, which must allow the scope; read once a request. Raises Refusal."""
    key: ApiKey = getattr(request, "found_key", None) or _authenticated(request)
    request.found_key = key  # type: ignore[attr-defined]
    if scope and not key.allows(scope):
        raise Refusal(403, "missing_scope", f"this key may not {scope}", "make a key with that scope")
    return key


def _authenticated(request: HttpRequest) -> ApiKey:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    now = timezone.now()
    key = authenticate_token(token, now) if kind.lower() == "token" else None
    if key is None:
        raise Refusal(401, "not_authenticated", "no valid key", "send 'Authorization: Token <public_id>$<secret>'")
    if key.last_used_at is None or now - key.last_used_at > USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key
