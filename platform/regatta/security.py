"""What browsers may do with our pages, and what text requests may hold: none that a database cannot keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


UNKEPT = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL does not take as text: NUL and halves of surrogate pairs."""
MAX_DIGITS = 9


def is_kept(texts: Iterable[object]) -> bool:
    """Whether none of the texts holds what a database cannot keep."""
    return not any(isinstance(text, str) and UNKEPT.search(text) for text in texts)


def asked_number(text: str) -> int | None:
    """The number that a query names in plain digits; None when it names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None


def address_is_kept(request: HttpRequest) -> bool:
    """Whether path, query, cookies and headers hold text that a database can keep."""
    queried = (text for values in request.GET.lists() for text in (values[0], *values[1]))
    return is_kept((request.path, *queried, *request.COOKIES.values(), *request.headers.values()))


class KeptRedirect(HttpResponsePermanentRedirect):
    """A redirect with which clients send a POST and its body again; after a 301 they make a GET of it."""

    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Sends whoever left out the last slash of an address to it, with what was sent."""

    response_redirect_class = KeptRedirect


class TextMiddleware:
    """Refuses pages and forms whose text no database could keep; the API does so in its own envelope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: Any) -> None:
        """Look before the view does. Raises BadRequest."""
        if getattr(view, "csrf_exempt", False):  # a view that reads its body itself
            return
        sent = (text for values in request.POST.lists() for text in (values[0], *values[1]))
        if not address_is_kept(request) or not is_kept(sent):
            raise BadRequest("the request holds NUL or half a surrogate pair")


class HeadersMiddleware:
    """Adds the headers to every answer that does not bring its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with the headers."""
        answer = self.get_response(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer
