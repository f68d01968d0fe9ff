"""The one address that the client knows: POST of a query, always answered with 200 and, where due, with `errors`."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from regatta.access import open_to_all
from regatta.api import limits
from regatta.api.envelope import Refusal, body, texts_of
from regatta.api.numerapi.asking import Asking
from regatta.api.numerapi.schema import schema
from regatta.security import address_is_kept, is_kept
from tournament.errors import RegattaError

log = logging.getLogger(__name__)
HIDDEN = "something failed here; it is logged, please try again"


@csrf_exempt
@open_to_all()
def graphql(request: HttpRequest) -> HttpResponse:
    """Run one query. Status 200 whatever comes of it: the client shows no message of any other answer."""
    try:
        answer = _answer(request)
    except Refusal as refusal:
        told = {"message": _words(refusal), "extensions": {"code": refusal.code}}
        answer = JsonResponse({"data": None, "errors": [told]})
    limits.add_headers(request, answer)
    return answer


def _answer(request: HttpRequest) -> HttpResponse:
    """The schema by GET, a query's answer by POST. Raises Refusal."""
    if request.method in ("GET", "HEAD"):
        return HttpResponse(schema.as_str(), content_type="text/plain; charset=utf-8")
    asked = _asked(request)
    limits.admit(request)  # a wrong key is told even where none is needed
    try:
        result = schema.execute_sync(
            asked["query"], variable_values=asked.get("variables") or {}, context_value=Asking(request),
            operation_name=asked.get("operationName"),
        )  # fmt: skip
    except (CannotGetOperationTypeError, InvalidOperationTypeError):
        return JsonResponse({"data": None, "errors": [{"message": "there is no query or mutation of that name"}]})
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_error(error) for error in result.errors]
    return JsonResponse(answer)


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The query, its variables and its name. Raises Refusal."""
    if request.method != "POST":
        raise Refusal(405, "method_not_allowed", f"{request.method} is not for this address", "POST a query")
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise Refusal(403, "https", "keys must not travel in the clear", "use the https:// address of this site")
    if not address_is_kept(request):
        raise Refusal(400, "bad_text", "the address or a header holds NUL", "send text without it")
    asked = body(request, "query")
    named, variables = asked.get("operationName"), asked.get("variables")
    if not asked["query"].strip():
        raise Refusal(422, "no_query", "the query is empty", "send one; the schema is at this address by GET")
    if not isinstance(named, str | None) or not isinstance(variables, dict | None):
        raise Refusal(400, "bad_query", "variables must be an object and operationName a text", "send them so")
    if not is_kept(texts_of(variables or {})):
        raise Refusal(422, "bad_text", "a variable holds NUL or half a surrogate pair", "send text without it")
    return asked


def _error(error: GraphQLError) -> dict[str, Any]:
    """What the asker may know of an error; what nobody foresaw is logged and hidden."""
    cause = error.original_error
    told: dict[str, Any] = {"message": error.message if cause is None else _told(cause)}
    if error.path:
        told["path"] = error.path
    if isinstance(cause, Refusal):
        told["extensions"] = {"code": cause.code}
    return told


def _told(cause: BaseException) -> str:
    if isinstance(cause, Refusal):
        return _words(cause)
    if isinstance(cause, RegattaError | GraphQLError | Http404):
        return str(cause)
    if isinstance(cause, ValidationError):
        return "; ".join(cause.messages)
    log.error("a query failed", exc_info=cause)
    return HIDDEN


def _words(refusal: Refusal) -> str:
    return f"{refusal.message}; {refusal.hint}" if refusal.hint else refusal.message
