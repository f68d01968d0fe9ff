"""How much may be asked: a counter for each key and, of those without a key, for each address.

Fixed windows of a minute: at the edge of two windows twice the limit may pass within a minute. Whoever is over the
limit is refused until the window ends; refused requests count on, and cost a statement each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from regatta.accounts.models import ApiKey
from regatta.api.envelope import Refusal, key_of
from regatta.api.models import Allowance

PERIOD = 60
"""Seconds."""
KEPT_PERIODS = 10
OWN_BITS = 64
"""Bits of an IPv6 address that one asker has for itself."""
SPEND = """
INSERT INTO api_allowance AS kept (who, period, used) VALUES (%s, %s, %s)
ON CONFLICT (who) DO UPDATE SET
    used = CASE WHEN kept.period < EXCLUDED.period THEN EXCLUDED.used ELSE kept.used + EXCLUDED.used END,
    period = GREATEST(kept.period, EXCLUDED.period)
RETURNING used
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What an asker has left of the present window."""

    limit: int
    used: int
    seconds: int
    """Until the window ends."""

    @property
    def is_spent(self) -> bool:
        """Whether the request that was counted last is one too many."""
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """As clients read it."""
        told = {
            "RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(self.seconds), "RateLimit-Policy": f"{self.limit};w={PERIOD}",
        }  # fmt: skip
        return told | ({"Retry-After": str(self.seconds)} if self.is_spent else {})


def admit(request: HttpRequest, *, cost: int = 1, reads_key: bool = True) -> ApiKey | None:
    """Who asks, counted; None without a key. Raises Refusal for a wrong key and for one request too many."""
    try:
        key = key_of(request) if reads_key and request.headers.get("Authorization") else None
    except Refusal:
        _charge(request, None, cost)  # guessing keys is asking too
        raise
    _charge(request, key, cost)
    return key


def spend(who: str, cost: int, *, limit: int, now: datetime) -> Left:
    """Count a request."""
    period, second = divmod(int(now.timestamp()), PERIOD)
    with connection.cursor() as cursor:
        cursor.execute(SPEND, [who, period, cost])
        (used,) = cursor.fetchone()
    return Left(limit, used, PERIOD - second)


def asker(request: HttpRequest, key: ApiKey | None) -> str:
    """The name under which requests are counted and answers kept: the key's, else the address's."""
    return f"key:{key.pk}" if key is not None else f"at:{address_of(request)}"


def address_of(request: HttpRequest) -> str:
    """Whence the request comes: what the nearest trusted proxy says, else the other end of the connection."""
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    trusted = settings.REGATTA_PROXIES
    found = passed[-trusted] if 0 < trusted <= len(passed) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(found)
    except ValueError:
        return "unknown"
    return str(address) if isinstance(address, IPv4Address) else str(ip_network((address, OWN_BITS), strict=False))


def sweep(now: datetime) -> int:
    """Forget the counters of those who have not asked for a while; how many."""
    oldest = int((now - timedelta(seconds=PERIOD * KEPT_PERIODS)).timestamp()) // PERIOD
    return Allowance.objects.filter(period__lt=oldest).delete()[0]


def _charge(request: HttpRequest, key: ApiKey | None, cost: int) -> None:
    limit = settings.REGATTA_ANONYMOUS_RATE if key is None else settings.REGATTA_KEY_RATE
    if not limit or not cost:
        return
    left = spend(asker(request, key), cost, limit=limit, now=timezone.now())
    request.allowance_left = left  # type: ignore[attr-defined]
    if left.is_spent:
        message = f"more than {limit} requests within a minute"
        raise Refusal(429, "too_many_requests", message, f"come back in {left.seconds} s, as Retry-After says")


def add_headers(request: HttpRequest, answer: HttpResponseBase) -> None:
    """Tell what is left, where it was counted."""
    left: Left | None = getattr(request, "allowance_left", None)
    for name, value in left.headers().items() if left is not None else ():
        answer[name] = value
