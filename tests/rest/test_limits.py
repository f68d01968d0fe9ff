"""How much may be asked: counted in the database that all web processes share, told in headers, refused in form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from regatta.api import limits
from regatta.api.models import Allowance
from tests.rest.planted import OTHER, OWNER, Sea, token

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the counter stands still."""
    monkeypatch.setattr(limits.timezone, "now", lambda: NOON)


def get(key: str = "", where: str = "tournaments/", **extra: Any) -> Any:
    headers = {"Authorization": f"Token {key}"} if key else {}
    return Client().get(f"/api/v1/{where}", headers=headers, **extra)


@pytest.mark.django_db
def test_what_is_left_is_told(sea: Sea, settings: Any) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 10

    first, second = get(), get()

    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("10", "9")
    assert (second["RateLimit-Remaining"], second["RateLimit-Reset"]) == ("8", "30")
    assert first["RateLimit-Policy"] == "10;w=60"


@pytest.mark.django_db
def test_one_too_many_is_refused_until_the_window_ends(
    sea: Sea, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 2

    statuses = [get().status_code for _ in range(3)]
    refused = get()
    monkeypatch.setattr(limits.timezone, "now", lambda: NOON + timedelta(seconds=30))

    assert statuses == [200, 200, 429]
    assert (refused.json()["error"]["code"], refused["Retry-After"]) == ("too_many_requests", "30")
    assert get().status_code == 200


@pytest.mark.django_db
def test_each_key_has_its_own(sea: Sea, settings: Any) -> None:
    settings.REGATTA_KEY_RATE = 1
    mine, theirs = token(OWNER), token(OTHER)

    assert [get(mine).status_code, get(mine).status_code, get(theirs).status_code] == [200, 429, 200]


@pytest.mark.django_db
def test_guessing_keys_counts_for_the_address(sea: Sea, settings: Any) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 2

    assert [get("nobody$nothing").status_code for _ in range(3)] == [401, 401, 429]


@pytest.mark.django_db
def test_passwords_cost_more(sea: Sea, settings: Any) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 25
    wrong = {"username": OWNER, "password": "wrong"}

    statuses = [Client().post("/api/v1/keys/", wrong, content_type="application/json").status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


@pytest.mark.django_db
def test_graphql_shares_the_count_and_refuses_as_its_client_reads_it(sea: Sea, settings: Any) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 2
    get()
    query = {"query": "{ rounds { number } }"}

    good, refused = (Client().post("/graphql/", query, content_type="application/json") for _ in range(2))

    assert "errors" not in good.json()
    assert (refused.status_code, refused["Retry-After"]) == (200, "30")
    assert refused.json()["errors"][0]["message"] == (
        "more than 2 requests within a minute; come back in 30 s, as Retry-After says"
    )


@pytest.mark.django_db
def test_without_a_limit_nothing_is_counted(sea: Sea, settings: Any) -> None:
    settings.REGATTA_ANONYMOUS_RATE = 0

    assert "RateLimit-Limit" not in get().headers
    assert not Allowance.objects.exists()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [(0, "9.9.9.9", "10.0.0.1"), (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"), (2, "6.6.6.6, 9.9.9.9, 8.8.8.8", "9.9.9.9"),
     (1, "", "10.0.0.1"), (1, "nonsense", "unknown"), (1, "2001:db8:1:2:3::4", "2001:db8:1:2::/64")],
)  # fmt: skip
def test_the_address_is_what_the_trusted_proxy_says(settings: Any, proxies: int, forwarded: str, address: str) -> None:
    settings.REGATTA_PROXIES = proxies
    head = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert limits.address_of(RequestFactory().get("/", headers=head, REMOTE_ADDR="10.0.0.1")) == address


@pytest.mark.django_db
def test_counters_of_long_ago_are_forgotten() -> None:
    limits.spend("old", 1, limit=5, now=NOON - timedelta(hours=1))
    limits.spend("new", 1, limit=5, now=NOON)

    assert limits.sweep(NOON) == 1
    assert Allowance.objects.get().who == "new"


def test_no_request_is_lost_when_many_count_at_once(transactional_db: None) -> None:
    def count(_: int) -> int:
        try:
            return limits.spend("key:1", 1, limit=100, now=NOON).used
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        used = sorted(pool.map(count, range(40)))

    assert used == list(range(1, 41))
