"""What the OpenAPI file says is so, whatever is asked; and nothing hidden comes out, whoever asks.

Requests are made up of the file by schemathesis, with a fixed seed: right ones and wrong ones. Half of them name
things that there are, of the asker and of somebody else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error, response_schema_conformance
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    status_code_conformance,
)

from regatta.access import ANY, Who, routes
from regatta.accounts.models import User
from regatta.api.v1.rooms import Asked, Told
from regatta.api.v1.site import openapi_text
from tests.rest.planted import OWNER, STAFF, Sea, address, samples, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
SPEC: dict[str, Any] = json.loads(openapi_text())
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 4
"""Right requests of each operation for each asker, and as many wrong ones."""
ASKERS = {"anonymous": "", "contributor": OWNER, "staff": STAFF}
OPERATIONS = [(path, method) for path, methods in SPEC["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    """The file, asked of this process; the connection is the test's and stays open, as with Django's own client."""
    found = schemathesis.openapi.from_dict(SPEC)
    found.app = WSGIHandler()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield found
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def hidden_from(sea: Sea, asker: str) -> tuple[str, ...]:
    return sea.hidden if asker == "staff" else (*sea.hidden, *sea.internal)


def told(words: tuple[str, ...], content: bytes) -> list[str]:
    """Which of the words the answer holds."""
    text = content.decode("utf-8", "replace")
    return [word for word in words if word in text]


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_as_the_file_says(sea: Sea, schema: Any, asker: str, path: str, method: str) -> None:
    headers = {"Authorization": f"Token {token(ASKERS[asker])}"} if ASKERS[asker] else {}
    kind = SPEC["paths"][path][method]["x-access"]["of"]
    real = cycle([samples(sea, sea.owner)[kind], samples(sea, sea.other)[kind], {}])
    words = hidden_from(sea, asker)

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=schema[path][method.upper()].as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.path_parameters.update({name: value for name, value in next(real).items() if name in path})
            with undone():
                answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)
            assert told(words, answer.content) == []

        with suppress(Unsatisfiable):  # nothing can be asked wrongly where nothing can be sent
            ask()


GETS = [path for path, method in OPERATIONS if method == "get"]


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("path", GETS)
def test_no_reading_tells_what_is_hidden(sea: Sea, asker: str, path: str) -> None:
    """Every reading of everybody's things, with the longest pages, oldest and newest."""
    headers = {"Authorization": f"Token {token(ASKERS[asker])}"} if ASKERS[asker] else {}
    kind = SPEC["paths"][path]["get"]["x-access"]["of"]
    names = {one["name"] for one in SPEC["paths"][path]["get"].get("parameters", [])}
    queries = [{"limit": "500"}, {"limit": "500", "order": "newest"}, {"limit": "500", "days": "all"}]

    for own in (sea.owner, sea.other):
        where = path.format(**samples(sea, own)[kind])
        for query in queries:
            answer = Client().get(where, {key: value for key, value in query.items() if key in names}, headers=headers)
            assert told(hidden_from(sea, asker), answer.content) == []


PAGES = sorted(
    route.pattern for route in routes() if not route.pattern.startswith(("api/", "admin/", "uploads/", "downloads/"))
)


@pytest.mark.parametrize("who", ["", OWNER])
@pytest.mark.parametrize("pattern", PAGES)
def test_no_page_tells_what_is_hidden(sea: Sea, who: str, pattern: str) -> None:
    client = Client()
    if who:
        client.force_login(User.objects.get(username=who))
    access = next(one.access[ANY] for one in routes() if one.pattern == pattern)

    for own in (sea.owner, sea.other):
        answer = client.get(address(pattern, access, samples(sea, own)), {"tournament": "seas"})
        assert told(hidden_from(sea, "contributor"), answer.content) == []


def test_what_is_hidden_from_others_is_told_to_its_owner(sea: Sea) -> None:
    """Else the tests above would pass where nothing is told at all."""
    headers = {"Authorization": f"Token {token('owner_of_northwind')}"}
    known = samples(sea, sea.other)
    text = ""
    for path in GETS:
        access = SPEC["paths"][path]["get"]["x-access"]
        if access["who"] != Who.ANYBODY:
            text += Client().get(path.format(**known[access["of"]]), headers=headers).content.decode("utf-8", "replace")

    never = {word for word in sea.hidden if word not in text}
    assert {word for word in never if word.startswith("canary") or word == "7.654321"} == {"canary-challenger"}
    assert "canary-reason" in text
    assert "canary-traceback" not in text


def test_staff_read_the_traceback_of_any_job(sea: Sea) -> None:
    headers = {"Authorization": f"Token {token(STAFF)}"}

    answer = Client().get(f"/api/v1/jobs/{sea.other.pks['job']}/", headers=headers).json()

    assert (answer["detail"], answer["payload"]) == ("canary-traceback", {"canary": 1})


def test_the_file_is_served_with_a_mark() -> None:
    first = Client().get("/api/v1/openapi.json")

    again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": first["ETag"]})

    assert first.json() == SPEC
    assert (again.status_code, again.content) == (304, b"")


def test_no_two_forms_share_a_name() -> None:
    """The file would hold but one of them."""
    found = [form for base in (Told, Asked) for form in below(base) if "[" not in form.__name__]

    assert len({form.__name__ for form in found}) == len(found)


def below(form: type) -> Iterator[type]:
    for inner in form.__subclasses__():
        yield inner
        yield from below(inner)


def test_every_operation_has_words_and_an_access() -> None:
    bare = [
        f"{method} {path}" for path, method in OPERATIONS
        if not SPEC["paths"][path][method]["summary"] or "x-access" not in SPEC["paths"][path][method]
    ]  # fmt: skip

    assert bare == []


def test_the_page_for_people_tells_every_operation(db: None) -> None:
    page = Client().get("/api/v1/docs/", follow=True).content.decode()
    told_of = [
        f"{method.upper()} {re.sub('{([^}]+)}', lambda found: found[1].upper(), path.removeprefix('/api/v1/'))}"
        for path, method in OPERATIONS
    ]

    assert [one for one in told_of if one not in page] == []


def test_every_upload_says_how_its_file_is_named() -> None:
    takes_file = [
        one
        for methods in SPEC["paths"].values()
        for one in methods.values()
        if "text/csv" in str(one.get("requestBody"))
    ]

    named = [one for one in takes_file if "X-Filename" in {asked["name"] for asked in one["parameters"]}]

    assert len(named) == len(takes_file) >= 3
