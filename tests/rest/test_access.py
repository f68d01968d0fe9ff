"""Every address of the site, by every method, for everybody: what happens is what its view declares.

Nothing here is written for one address: the list is the resolver's, what to expect is `regatta.access`'s. An address
without a declaration fails, and so does one that names a kind of thing of which `planted.samples` has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from regatta.access import ANY, Access, Route, Who, routes
from regatta.accounts.models import SCOPES, User
from regatta.api.v1.site import openapi_text
from regatta.uploads.models import Upload
from regatta.uploads.steps import ticket
from tests.rest.planted import (
    OTHER,
    OWNER,
    STAFF,
    Sea,
    address,
    download_of,
    samples,
    token,
    upload_of,
    wrong_token,
)  # fmt: skip

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REST = "api/v1/"
ADMIN = "admin/"
NOT_MINE = (401, 403, 404)


@dataclass(frozen=True, slots=True)
class Case:
    """One address by one method."""

    route: Route
    method: str
    access: Access

    @property
    def name(self) -> str:
        """As pytest shows it."""
        return f"{self.method} {self.route.pattern}"


def cases(kind: Callable[[Route], bool]) -> Iterator[Case]:
    """Every declared address and method of a kind; a page's methods are found out by asking."""
    for route in routes():
        if not kind(route):
            continue
        for method in METHODS:
            access = route.access.get(method) or route.access.get(ANY)
            if access is not None:
                yield Case(route, method, access)


def is_rest(route: Route) -> bool:
    return route.pattern.startswith(REST)


def is_signed(route: Route) -> bool:
    return any(access.who == Who.BEARER for access in route.access.values())


def is_admin(route: Route) -> bool:
    return route.pattern.startswith(ADMIN)


def is_page(route: Route) -> bool:
    return not (is_rest(route) or is_signed(route) or is_admin(route))


RESTS = {case.name: case for case in cases(is_rest)}
PAGES = {case.name: case for case in cases(is_page)}
ADMINS = {case.name: case for case in cases(is_admin) if case.method in ("GET", "POST")}


def test_every_address_declares_who_may_ask() -> None:
    assert [route.pattern for route in routes() if not route.access] == []


def test_an_address_without_a_declaration_is_found_out() -> None:
    from django.urls import path
    from django.urls.resolvers import RegexPattern, URLResolver

    from regatta.access import _below

    class Conf:
        urlpatterns = [path("new/", lambda request: None)]

    found = list(_below(URLResolver(RegexPattern(r"^/"), Conf), "", {}))

    assert [(route.pattern, dict(route.access)) for route in found] == [("new/", {})]


def test_there_are_samples_of_every_kind_that_addresses_name(sea: Sea) -> None:
    kinds = {access.of for route in routes() for access in route.access.values()}

    assert kinds <= set(samples(sea, sea.owner))


# --- REST


@pytest.mark.parametrize("name", RESTS)
def test_rest(sea: Sea, name: str) -> None:
    case = RESTS[name]
    where = address(case.route.pattern, case.access, samples(sea, sea.owner))

    found = {who: ask(case, where, key) for who, key in keys(case.access).items()}

    assert {who: status for who, status in found.items() if not is_expected(case.access, who, status)} == {}


def keys(access: Access) -> dict[str, str]:
    """A key of everybody who may come."""
    without = tuple(scope for scope in SCOPES if scope != access.scope) if access.scope else ()
    return {
        "nobody": "", "bad key": wrong_token(OWNER), "expired key": token(OWNER, ended="expired"),
        "revoked key": token(OWNER, ended="revoked"), "without the scope": token(OWNER, without),
        "owner": token(OWNER), "other": token(OTHER), "staff": token(STAFF),
    }  # fmt: skip


def ask(case: Case, where: str, key: str) -> int:
    """The status; whatever is done is taken back. Every refusal is held against the envelope."""
    headers = {"Authorization": f"Token {key}"} if key else {}
    with transaction.atomic():
        answer = Client(raise_request_exception=False).generic(
            case.method, where, body_of(case), content_type="application/json", headers=headers
        )
        transaction.set_rollback(True)
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error"}
        assert {"code", "message", "hint"} <= set(answer.json()["error"])
    return answer.status_code


def is_expected(access: Access, who: str, status: int) -> bool:
    """Whether the declaration allows the status."""
    if status >= 500:
        return False
    if who in ("bad key", "expired key", "revoked key"):
        return status == 401 if access.reads_key else status not in (403, 404)
    if access.who == Who.ANYBODY:  # an address that reads no key takes a password, and says 401 of a wrong one
        return status not in NOT_MINE if access.reads_key else status not in (403, 404)
    if who == "nobody":
        return status == 401
    if who == "without the scope":
        return status == 403
    if access.who == Who.STAFF:
        return status == 403 if who != "staff" else status not in NOT_MINE
    if access.who == Who.CONTRIBUTOR:
        return status not in (401, 403)
    may = {"owner", "staff"} if access.who == Who.OWNER_OR_STAFF else {"owner"}
    return status not in NOT_MINE if who in may else status == 404


def body_of(case: Case) -> str:
    """The least body that the OpenAPI file allows; its fields may mean nothing."""
    spec = openapi()
    found = spec["paths"].get("/" + _plain(case.route.pattern), {}).get(case.method.lower(), {})
    schema = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    least = {"string": "yes", "integer": 0, "object": {}}
    return json.dumps({name: least[schema["properties"][name]["type"]] for name in schema.get("required", [])})


@lru_cache
def openapi() -> dict[str, Any]:
    return dict(json.loads(openapi_text()))


def _plain(pattern: str) -> str:
    """`<int:pk>` as the file writes it: `{pk}`."""
    import re

    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)


# --- pages


@pytest.mark.parametrize("name", PAGES)
def test_pages(sea: Sea, name: str) -> None:
    case = PAGES[name]
    where = address(case.route.pattern, case.access, samples(sea, sea.owner))

    found = {who: visit(case.method, where, who) for who in visitors(case.method)}

    assert {who: told for who, told in found.items() if not is_right(case.access, who, *told)} == {}


def visitors(method: str) -> tuple[str, ...]:
    """Everybody where forms and links lead; elsewhere those who must not get in."""
    return ("nobody", "only a key", OWNER, OTHER, STAFF) if method in ("GET", "POST") else ("nobody", OTHER)


def visit(method: str, where: str, who: str) -> tuple[int, str]:
    """The status, and where it leads; whatever is done is taken back."""
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Token {token(OWNER)}"} if who == "only a key" else {}
    with transaction.atomic():
        if who not in ("nobody", "only a key"):
            client.force_login(User.objects.get(username=who))
        answer = client.generic(method, where, "", content_type="application/x-www-form-urlencoded", headers=headers)
        transaction.set_rollback(True)
    return answer.status_code, answer.headers.get("Location", "")


def is_right(access: Access, who: str, status: int, leads_to: str) -> bool:
    if status == 405:
        return True
    sent_to_log_in = status == 302 and leads_to.startswith(("/accounts/login/?next=", "/admin/login/?next="))
    if status >= 500:
        return False
    if access.who == Who.ANYBODY:
        return not sent_to_log_in and status not in NOT_MINE
    if who in ("nobody", "only a key"):  # a key opens no page
        return sent_to_log_in
    if access.who == Who.CONTRIBUTOR:  # a form may name what is not there
        return not sent_to_log_in and status not in (401, 403)
    if access.who == Who.STAFF and who != STAFF:
        return status == 403
    may = {Who.STAFF: {STAFF}, Who.OWNER_OR_STAFF: {OWNER, STAFF}}.get(access.who, {OWNER})
    return (not sent_to_log_in and status not in NOT_MINE) if who in may else status == 404


def test_own_pages_are_found_at_all() -> None:
    """The rule above lets 405 pass; that every page answers some method is asked here."""
    answering = {access.who for route in routes() if is_page(route) for access in route.access.values()}

    assert answering == {Who.ANYBODY, Who.CONTRIBUTOR, Who.OWNER, Who.OWNER_OR_STAFF, Who.STAFF}


@pytest.mark.parametrize("pattern", sorted({case.route.pattern for case in PAGES.values()}))
def test_every_page_answers_its_owner_by_some_method(sea: Sea, pattern: str) -> None:
    case = next(one for one in PAGES.values() if one.route.pattern == pattern)
    where = address(pattern, case.access, samples(sea, sea.owner))

    assert any(visit(method, where, OWNER)[0] != 405 for method in METHODS)


# --- admin


@pytest.mark.parametrize("name", ADMINS)
def test_admin(sea: Sea, name: str) -> None:
    case = ADMINS[name]
    where = "/" + _of_admin(case.route.pattern)

    found = {who: visit(case.method, where, who) for who in ("nobody", OWNER)}
    staff, _ = visit(case.method, where, STAFF)

    refused = {
        who: status in (403, 404, 405) or leads_to.startswith("/admin/login/")
        for who, (status, leads_to) in found.items()
    }
    assert staff < 500
    assert case.route.pattern in ("admin/login/", "admin/logout/") or all(refused.values()), found


def _of_admin(pattern: str) -> str:
    """Every part of an address of the admin stands for the first row."""
    import re

    return re.sub(r"<(?:\w+:)?\w+>", "1", pattern).replace("(?P<url>.*)$", "nothing/").replace("(?P1.*)$", "nothing/")


# --- signed addresses


def put(signed: str, data: bytes = b"id,prediction\n") -> int:
    return Client().put(f"/uploads/{signed}", data, content_type="application/octet-stream").status_code


def test_a_file_is_put_at_a_fresh_address_once(sea: Sea) -> None:
    signed = ticket(upload_of(sea.owner))

    assert [put(signed), put(signed), put(signed, b"another")] == [200, 200, 422]


@pytest.mark.parametrize("signed", ["nothing", "Mg:1xWTOU:MeGZB4W1vqQ6LorypmKLXTsaYenxULTTa9PaVIDvZR4"])
def test_nothing_is_put_at_an_address_that_was_made_up(sea: Sea, signed: str) -> None:
    assert put(signed) == 403


def test_nothing_is_put_at_an_old_address(sea: Sea) -> None:
    old = upload_of(sea.owner)
    Upload.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert put(ticket(old)) == 403


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(0), 200), (timedelta(minutes=59), 200), (timedelta(minutes=61), 404)]
)
def test_a_file_is_fetched_for_an_hour(sea: Sea, age: timedelta, status: int) -> None:
    assert Client().get(f"/downloads/{download_of(sea.owner, age=age)}").status_code == status


def test_a_ticket_for_one_file_fetches_no_other(sea: Sea) -> None:
    theirs, own = download_of(sea.other), download_of(sea.owner)
    mixed = theirs.split(":")[0] + ":" + own.split(":", 1)[1]

    assert Client().get(f"/downloads/{mixed}").status_code == 404


SIGNED = sorted({route.pattern for route in routes() if is_signed(route)})


@pytest.mark.parametrize("pattern", SIGNED)
def test_a_signed_address_takes_its_own_method_alone(sea: Sea, pattern: str) -> None:
    route = next(one for one in routes() if one.pattern == pattern)
    where = address(pattern, next(iter(route.access.values())), samples(sea, sea.owner))

    found = {method: Client().generic(method, where).status_code for method in METHODS}

    assert {method for method, status in found.items() if status != 405} == set(route.access)


# --- GraphQL

OWN_QUERY, OWN_DEED = "{ account { username } }", 'mutation { setUserBio(value: "x") }'


@pytest.mark.parametrize(
    ("who", "query", "word"),
    [("nobody", OWN_QUERY, "no valid key"), ("bad key", "{ rounds { number } }", "no valid key"),
     ("expired key", OWN_QUERY, "no valid key"), ("revoked key", OWN_QUERY, "no valid key"),
     ("without the scope", OWN_QUERY, "this key may not read")],
)  # fmt: skip
def test_graphql_refuses_with_status_200(sea: Sea, who: str, query: str, word: str) -> None:
    key = keys(Access(Who.CONTRIBUTOR, "read"))[who]
    headers = {"Authorization": f"Token {key}"} if key else {}

    answer = Client().post("/graphql/", {"query": query}, content_type="application/json", headers=headers)

    assert answer.status_code == 200
    assert word in answer.json()["errors"][0]["message"]
