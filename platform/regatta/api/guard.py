"""What every request to the API passes, whatever it asks: text, method, key, limit, scope, repeats; and how it ends.

`Rule` is what an operation declares; `guarded` keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from ninja.errors import HttpError
from ninja.errors import ValidationError as NotValid

from regatta.access import Access, Who, declared
from regatta.accounts.models import ApiKey, User
from regatta.api import limits
from regatta.api.envelope import MAX_JSON_BYTES, Refusal, refuse_larger
from regatta.api.repeats import once
from regatta.security import address_is_kept
from tournament.errors import BadInput, Fault

View = Callable[..., HttpResponseBase]


class Takes(StrEnum):
    """What a request's body is."""

    NOTHING = "nothing"
    JSON = "json"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one operation asks of a request."""

    access: Access
    takes: Takes = Takes.NOTHING
    cost: int = 1
    """How many requests it counts for."""
    is_secret: bool = False
    """Whether its answer must not be kept."""
    queries: frozenset[str] = frozenset()
    """The parameters that it knows."""


def guarded(view: View, rules: Mapping[str, Rule]) -> View:
    """The view behind the rules of its methods; every answer in the API's form."""

    @csrf_exempt
    @declared({method: rule.access for method, rule in rules.items()})
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            found = _answered(request, view, rules, kwargs)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            found = refusal.answer()
            if refusal.status == 405:
                found["Allow"] = ", ".join(_allowed(rules))
        limits.add_headers(request, found)
        return found

    return answer


def asker(request: HttpRequest) -> User | None:
    """Whose key the request bears; None without one."""
    key: ApiKey | None = getattr(request, "api_key", None)
    return None if key is None else key.owner


def contributor(request: HttpRequest) -> User:
    """Whose key the request bears, where the operation asks for one."""
    found = asker(request)
    if found is None:
        raise Refusal(401, "not_authenticated", "no valid key", "send 'Authorization: Token <public_id>$<secret>'")
    return found


def _answered(
    request: HttpRequest, view: View, rules: Mapping[str, Rule], kwargs: dict[str, Any]
) -> HttpResponseBase:  # fmt: skip
    if not address_is_kept(request):
        raise Refusal(400, "bad_text", "the address or a header holds NUL", "send text without it")
    method = "GET" if request.method == "HEAD" else request.method or ""
    rule = rules.get(method)
    if rule is None:
        raise Refusal(
            405, "method_not_allowed", f"{request.method} is not for this address", ", ".join(_allowed(rules))
        )
    key = limits.admit(request, cost=rule.cost, reads_key=rule.access.reads_key)
    request.api_key = key  # type: ignore[attr-defined]
    _refuse_stranger(key, rule.access)
    _refuse_unknown(request, rule.queries)
    if rule.takes == Takes.JSON:  # the size of a file is its tournament's to limit
        refuse_larger(request, MAX_JSON_BYTES)
        if not request.body:
            raise Refusal(400, "bad_json", "the body is not JSON", "send an object")
    request.method = method
    if method != "POST":
        return _sealed(request, view(request, **kwargs), is_public=key is None)
    return once(request, limits.asker(request, key), lambda: view(request, **kwargs), is_secret=rule.is_secret)


def _refuse_stranger(key: ApiKey | None, access: Access) -> None:
    if access.who in (Who.ANYBODY, Who.BEARER):
        return
    if key is None:
        raise Refusal(401, "not_authenticated", "no valid key", "send 'Authorization: Token <public_id>$<secret>'")
    if not key.allows(access.scope):
        raise Refusal(403, "missing_scope", f"this key may not {access.scope}", "make a key with that scope")
    if access.who == Who.STAFF and not key.owner.is_staff:
        raise Refusal(403, "staff_only", "this is for staff")


def _refuse_unknown(request: HttpRequest, known: frozenset[str]) -> None:
    """Refuse a parameter that would be without effect: misspelt, or given again."""
    for name, values in request.GET.lists():
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise Refusal(422, "unknown_parameter", f"this address has no parameter {name[:60]!r}", takes)
        if len(values) > 1:
            raise Refusal(422, "given_twice", f"{name} is given {len(values)} times", "give it once")


def _allowed(rules: Mapping[str, Rule]) -> list[str]:
    return [*rules, *(["HEAD"] if "GET" in rules else [])]


def _sealed(request: HttpRequest, found: HttpResponseBase, *, is_public: bool) -> HttpResponseBase:
    """The answer with its mark, or 304 where the reader has it."""
    if not isinstance(found, HttpResponse) or request.method != "GET" or found.status_code != 200:
        return found
    patch_vary_headers(found, ["Authorization"])
    found.headers.setdefault("Cache-Control", "no-cache" if is_public else "private, no-cache")
    if not found.has_header("ETag"):
        found["ETag"] = f'"{hashlib.sha256(found.content).hexdigest()[:32]}"'
        return get_conditional_response(request, etag=found["ETag"], response=found) or found
    return found


def refusal_of(error: Exception) -> Refusal | None:
    """What the asker is told of an error; None where it is a fault of ours."""
    match error:
        case Refusal():
            return error
        case Http404():
            return Refusal(404, "not_found", str(error) or "there is nothing at this address")
        case BadInput():
            return _of_faults(error.faults)
        case ValidationError():
            return Refusal(422, "invalid", "; ".join(error.messages))
        case RequestDataTooBig():
            return Refusal(413, "too_large", "the body is larger than any file here may be", "send less")
        case UnreadablePostError():
            return Refusal(400, "not_whole", "the connection broke before the body was whole", "send it again")
        case HttpError():
            return _of_ninja(error)
        case NotValid():
            return _of_fields(error.errors)
    return None


def _of_faults(faults: tuple[Fault, ...]) -> Refusal:
    """The first fault in the envelope's own fields, and every one."""
    first = faults[0]
    return Refusal(422, first.code, str(replace(first, hint="")), first.hint, faults)


def _of_ninja(error: HttpError) -> Refusal:
    if isinstance(error.__cause__, Refusal):
        return error.__cause__
    return Refusal(error.status_code, "bad_request", error.message)


def _of_fields(errors: list[dict[str, Any]]) -> Refusal:
    """The first field that is wrong, and every one in words."""
    told = [(".".join(str(part) for part in _named(one["loc"])), str(one["msg"])) for one in errors]
    words = "; ".join(f"{name}: {message}" if name else message for name, message in told)
    if errors[0]["type"] == "missing" or not told[0][0]:
        return Refusal(422, "missing_field", words, "send an object with every field that the docs name")
    return Refusal(422, f"bad_{told[0][0].split('.')[0]}"[:60], words, "the docs say what is taken")


def _named(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """The field's own name, without where it was found and what the parameter is called here."""
    return place[2:] if place[0] == "body" else place[-1:]
