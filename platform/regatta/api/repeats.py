"""Idempotency-Key: a POST that comes again does nothing again, and is answered as it was the first time.

The deed and its answer are written in one transaction. Two requests with one key at once: the second waits at the
row's unique key until the first has ended, then finds its answer, or, where the first was refused, acts itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.models import StoredAnswer

HEADER = "Idempotency-Key"
MAX_KEY = 80
KEPT = timedelta(hours=24)
PATIENCE_SECONDS = 10
"""How long a second request waits for the first to end."""
REPLAYED = "Idempotency-Replayed"


def once(
    request: HttpRequest, who: str, deed: Callable[[], HttpResponseBase], *, is_secret: bool
) -> HttpResponseBase:  # fmt: skip
    """The deed's answer, or that of the request before with the same key. Raises Refusal, and keeps none."""
    key = request.headers.get(HEADER, "")
    if not key:
        return deed()
    if len(key) > MAX_KEY:
        raise Refusal(422, "idempotency_key", f"the {HEADER} has {len(key)} characters", f"at most {MAX_KEY}")
    with transaction.atomic():
        row, is_new = _row(request, who, key)
        if not is_new:
            return _again(request, row)
        answer = deed()
        text = "" if is_secret or not isinstance(answer, HttpResponse) else answer.content.decode()
        StoredAnswer.objects.filter(pk=row.pk).update(status=answer.status_code, text=text)
    return answer


def _row(request: HttpRequest, who: str, key: str) -> tuple[StoredAnswer, bool]:
    """The row of this key at this address, and whether it was made just now."""
    now = timezone.now()
    same = {"who": who, "place": place_of(request.method or "", request.get_full_path()), "key": key}
    StoredAnswer.objects.filter(**same, expires_at__lte=now).delete()
    try:
        with transaction.atomic():
            _set(f"SET LOCAL lock_timeout = {int(1000 * PATIENCE_SECONDS)}")
            made = StoredAnswer.objects.get_or_create(
                **same, defaults={"body_sha256": _mark(request), "expires_at": now + KEPT}
            )
            _set("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError:
        hint = "come back in a second; it is done once"
        raise Refusal(409, "in_progress", f"a request with this {HEADER} is under way", hint) from None
    return made


def place_of(method: str, path: str) -> str:
    """A mark of an address and what is done at it."""
    return hashlib.sha256(f"{method} {path}".encode()).hexdigest()


def _again(request: HttpRequest, row: StoredAnswer) -> HttpResponse:
    if row.body_sha256 != _mark(request):
        raise Refusal(422, "key_used", f"this {HEADER} came with another body before", "take a new one for a new deed")
    if not row.text:
        hint = "the answer held a secret and is not kept; look at what you have, or take a new key"
        raise Refusal(409, "already_done", f"the request with this {HEADER} was done before", hint)
    return HttpResponse(
        row.text, status=row.status, content_type="application/json; charset=utf-8", headers={REPLAYED: "true"}
    )


def _mark(request: HttpRequest) -> str:
    named = request.headers.get("X-Filename", "").encode()
    return hashlib.sha256(named + b"\n" + request.body).hexdigest()


def _set(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def sweep() -> int:
    """Forget what has expired; how many."""
    return StoredAnswer.objects.filter(expires_at__lte=timezone.now()).delete()[0]
