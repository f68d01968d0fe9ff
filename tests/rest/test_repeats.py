"""Idempotency-Key: a deed is done once, its answer comes again, and two at once are one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import ApiKey, User
from regatta.api import repeats
from regatta.api.models import StoredAnswer
from regatta.rounds.models import Tournament
from regatta.submissions.models import ContributedModel
from tests.rest.planted import OTHER, OWNER, Sea, token


def post(where: str, data: Any, key: str, bearer: str) -> Any:
    headers = {"Authorization": f"Token {bearer}", "Idempotency-Key": key}
    return Client().post(f"/api/v1/{where}", json.dumps(data), content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_a_repeated_request_does_nothing_and_is_answered_alike(sea: Sea) -> None:
    bearer = token(OWNER)
    data = {"tournament": "seas", "name": "second_boat"}

    first, again = post("models/", data, "one", bearer), post("models/", data, "one", bearer)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.headers.get(repeats.REPLAYED), again.headers[repeats.REPLAYED]) == (None, "true")


@pytest.mark.django_db
def test_another_body_with_the_same_key_is_refused(sea: Sea) -> None:
    bearer = token(OWNER)
    post("models/", {"tournament": "seas", "name": "second_boat"}, "one", bearer)

    answer = post("models/", {"tournament": "seas", "name": "third_boat"}, "one", bearer)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "key_used")
    assert not ContributedModel.objects.filter(name="third_boat").exists()


@pytest.mark.django_db
def test_the_same_key_at_another_address_or_of_somebody_else_is_another(sea: Sea) -> None:
    mine, theirs = token(OWNER), token(OTHER)

    answers = [
        post("models/kelpie/stake/", {"points": "1"}, "one", mine),
        post("models/", {"tournament": "seas", "name": "second_boat"}, "one", mine),
        post("models/", {"tournament": "seas", "name": "fourth_boat"}, "one", theirs),
    ]

    assert [answer.status_code for answer in answers] == [200, 201, 201]


@pytest.mark.django_db
def test_what_was_refused_may_be_tried_again(sea: Sea) -> None:
    bearer = token(OWNER)
    data = {"tournament": "seas", "name": "kelpie"}

    refused = post("models/", data, "one", bearer)
    ContributedModel.objects.filter(name="kelpie").update(name="kelpie_before")
    again = post("models/", data, "one", bearer)

    assert (refused.status_code, again.status_code) == (409, 201)


@pytest.mark.django_db
def test_an_answer_is_forgotten_when_it_has_expired(sea: Sea) -> None:
    bearer = token(OWNER)
    post("models/kelpie/experimental/", {"experimental": "no"}, "one", bearer)
    StoredAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = post("models/", {"tournament": "seas", "name": "second_boat"}, "one", bearer)

    assert answer.status_code == 201
    assert repeats.sweep() == 1
    assert StoredAnswer.objects.count() == 1


@pytest.mark.django_db
def test_an_expired_key_may_be_used_anew_at_the_same_address(sea: Sea) -> None:
    bearer = token(OWNER)
    post("models/", {"tournament": "seas", "name": "second_boat"}, "one", bearer)
    StoredAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = post("models/", {"tournament": "seas", "name": "third_boat"}, "one", bearer)

    assert answer.status_code == 201


@pytest.mark.django_db
def test_a_secret_is_never_kept(sea: Sea) -> None:
    bearer = token(OWNER)
    data = {"url": "https://example.org/hook"}

    made, again = post("webhooks/", data, "one", bearer), post("webhooks/", data, "one", bearer)

    assert made.json()["secret"]
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_done")
    assert StoredAnswer.objects.get().text == ""


@pytest.mark.django_db
def test_a_key_that_is_too_long_is_refused(sea: Sea) -> None:
    answer = post("models/", {"tournament": "seas", "name": "second_boat"}, "k" * 81, token(OWNER))

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key")


# --- two at once, in transactions of their own


@pytest.fixture
def bearer(transactional_db: None) -> str:
    owner = User.objects.create_user("ada", "ada@example.org", "tide-and-wind-9")
    Tournament.objects.create(slug="repeats", name="Repeats", market="simulated")
    key, secret = ApiKey.issue(owner, "script")
    return f"{key.public_id}${secret}"


def in_thread(where: str, data: Any, key: str, bearer: str) -> Any:
    try:
        return post(where, data, key, bearer)
    finally:
        connection.close()


def test_of_many_at_once_one_acts_and_all_are_answered_alike(bearer: str) -> None:
    data = {"tournament": "repeats", "name": "adas_boat"}

    with ThreadPoolExecutor(6) as pool:
        answers = [one.result() for one in [pool.submit(in_thread, "models/", data, "one", bearer) for _ in range(6)]]

    assert {answer.status_code for answer in answers} == {201}
    assert sum(repeats.REPLAYED in answer.headers for answer in answers) == 5
    assert ContributedModel.objects.filter(name="adas_boat").count() == 1


def test_who_waits_too_long_is_told_to_come_back(bearer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "PATIENCE_SECONDS", 0.2)
    data = {"tournament": "repeats", "name": "adas_boat"}
    begun, end = Event(), Event()
    place = repeats.place_of("POST", "/api/v1/models/")

    def hold() -> None:
        with transaction.atomic():
            who = f"key:{ApiKey.objects.get().pk}"
            StoredAnswer.objects.create(
                who=who, place=place, key="one", body_sha256="", expires_at=timezone.now() + timedelta(hours=1)
            )
            begun.set()
            end.wait(20)
            transaction.set_rollback(True)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        begun.wait(20)
        waiting = post("models/", data, "one", bearer)
        end.set()
    after = post("models/", data, "one", bearer)

    assert (waiting.status_code, waiting.json()["error"]["code"]) == (409, "in_progress")
    assert after.status_code == 201
