"""Uploads in three steps: what is put is verified, used once, and swept away when nobody uses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from regatta import artifacts
from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import Submission
from regatta.uploads import steps
from regatta.uploads.models import Upload
from tests.flows import seas
from tests.web.graphql import CREATE, UPLOAD_AUTH, Asker, put
from workers.tasks import sweep

pytestmark = pytest.mark.django_db


@pytest.fixture
def round(opened: Tournament, db: None) -> Round:
    return seas.first(opened)


@pytest.fixture
def asker(round: Round) -> Asker:
    return Asker.of("owner_of_kelpie")


@pytest.fixture
def good(round: Round) -> bytes:
    return seas.predictions("kelpie", round).to_csv(index=False).encode()


def address(asker: Asker) -> dict[str, str]:
    return dict(asker.ask(UPLOAD_AUTH, filename="mine.csv")["submission_upload_auth"])


def test_what_was_put_becomes_an_accepted_submission(asker: Asker, good: bytes) -> None:
    pk = asker.submit(good)

    found = Submission.objects.get(pk=pk)
    assert (found.status, found.filename, found.source) == ("ACCEPTED", "mine.csv", "numerapi")
    assert artifacts.get(found.file_sha256) == good


@pytest.mark.parametrize(("given", "kept"), [("node-7", "node-7"), (None, None), ("x" * 500, "x" * 80), ("", None)])
def test_the_trigger_that_a_file_answers_is_kept_and_told(
    asker: Asker, good: bytes, given: str | None, kept: str | None
) -> None:
    asker.submit(good, trigger=given)

    assert asker.ask("{ submissions { triggerId } }") == {"submissions": [{"triggerId": kept}]}


def test_the_waiting_file_is_gone_after_its_use(
    asker: Asker, good: bytes, django_capture_on_commit_callbacks: Any
) -> None:
    name = asker.upload(good)
    key = Upload.objects.get(filename=name).key

    with django_capture_on_commit_callbacks(execute=True):
        asker.ask(CREATE, filename=name)

    with pytest.raises(artifacts.MissingArtifact):
        artifacts.get_incoming(key)


def test_the_last_step_done_twice_makes_one_submission(asker: Asker, good: bytes) -> None:
    name = asker.upload(good)

    first, again = asker.ask(CREATE, filename=name), asker.ask(CREATE, filename=name)

    assert first == again
    assert Submission.objects.filter(model__name="kelpie").count() == 1


def test_a_file_that_was_never_put_is_not_used(asker: Asker) -> None:
    assert "no file has come" in asker.refusal(CREATE, filename=address(asker)["filename"])


def test_a_file_that_changed_meanwhile_is_not_used(asker: Asker, good: bytes) -> None:
    name = asker.upload(good)
    artifacts.put_incoming(Upload.objects.get(filename=name).key, good[:-1])

    assert "not what was sent" in asker.refusal(CREATE, filename=name)
    assert not Submission.objects.filter(model__name="kelpie").exists()


def test_every_fault_of_a_file_is_told_and_the_file_is_kept(asker: Asker) -> None:
    told = asker.refusal(CREATE, filename=asker.upload(b"id,prediction\nnobody,7\n"))

    assert {"unknown_id", "missing_id", "out_of_range"} <= {line.partition(":")[0] for line in told.splitlines()}
    assert Submission.objects.get(model__name="kelpie").status == "REJECTED"


def test_nobody_uses_the_upload_of_another(asker: Asker, good: bytes) -> None:
    name = asker.upload(good)

    assert "no upload" in Asker.of("owner_of_driftwood").refusal(CREATE, filename=name)


def test_an_address_is_refused_once_it_has_expired(asker: Asker, good: bytes) -> None:
    url = address(asker)["url"]

    with mock.patch("django.utils.timezone.now", return_value=timezone.now() + steps.LIFETIME + timedelta(seconds=1)):
        answer = put(url, good)

    assert answer.json()["error"]["code"] == "no_ticket"


@pytest.mark.parametrize("change", [lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"), lambda url: url + "x"])
def test_a_forged_address_is_refused(asker: Asker, good: bytes, change: Any) -> None:
    answer = put(change(address(asker)["url"]), good)

    assert answer.status_code == 403


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(asker: Asker) -> None:
    url = address(asker)["url"]
    Upload.objects.update(max_bytes=10)

    answer = put(url, b"x" * 11)

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_an_empty_file_is_refused(asker: Asker) -> None:
    codes = [
        put(address(asker)["url"], b"", **length).json()["error"]["code"] for length in ({}, {"Content-Length": "0"})
    ]

    assert codes == ["no_length", "empty_file"]


def test_the_same_file_may_be_put_again_but_no_other(asker: Asker, good: bytes) -> None:
    url = address(asker)["url"]

    answers = [put(url, data).status_code for data in (good, good, b"another")]

    assert answers == [200, 200, 422]


def test_other_methods_are_refused_at_the_address(asker: Asker) -> None:
    path = address(asker)["url"].partition("testserver")[2]

    assert Client().get(path).status_code == 405


def test_strange_headers_of_the_client_do_no_harm(asker: Asker, good: bytes) -> None:
    answer = put(address(asker)["url"], good, **{"X_Compute_Id": "node-7"})

    assert answer.status_code == 200


def test_names_from_outside_never_become_paths(asker: Asker, good: bytes) -> None:
    name = asker.upload(good, filename="../../etc/pass wd\n.csv")

    assert "/" not in name
    assert asker.ask(CREATE, filename=name)["create_submission"]["id"]


def test_no_more_than_some_uploads_are_under_way(asker: Asker) -> None:
    for _ in range(steps.MAX_UNFINISHED):
        address(asker)

    assert "under way" in asker.refusal(UPLOAD_AUTH, filename="one more.csv")


def test_what_expired_is_swept_away_with_its_file(asker: Asker, good: bytes) -> None:
    name = asker.upload(good)
    key = Upload.objects.get(filename=name).key
    Upload.objects.update(expires_at=timezone.now())

    sweep()

    assert not Upload.objects.filter(filename=name).exists()
    with pytest.raises(artifacts.MissingArtifact):
        artifacts.get_incoming(key)


def test_what_is_under_way_or_used_is_not_swept_away(asker: Asker, good: bytes) -> None:
    asker.submit(good)
    waiting = asker.upload(good)
    Upload.objects.filter(state=Upload.State.USED).update(expires_at=timezone.now())

    swept = steps.sweep(timezone.now())

    assert swept == 0
    assert Upload.objects.get(filename=waiting).state == Upload.State.STORED


def test_a_used_upload_is_remembered_for_a_week(asker: Asker, good: bytes) -> None:
    asker.submit(good)
    expired = Upload.objects.get().expires_at

    assert steps.sweep(expired + steps.KEPT - timedelta(seconds=1)) == 0
    assert steps.sweep(expired + steps.KEPT) == 1


def test_a_file_that_comes_after_the_close_says_that_it_does_not_count(asker: Asker, good: bytes, round: Round) -> None:
    name = asker.upload(good)
    Tournament.objects.update(clock_at=round.closes_at)

    assert "does not count" in asker.refusal(CREATE, filename=name)
    assert Submission.objects.get(model__name="kelpie").is_late


def test_an_upload_waits_where_its_round_has_closed(asker: Asker, good: bytes, round: Round) -> None:
    name = asker.upload(good)
    Round.objects.filter(pk=round.pk).update(status=Round.Status.CLOSED)

    assert "not open" in asker.refusal(CREATE, filename=name)
    assert Upload.objects.get(filename=name).state == Upload.State.STORED


@pytest.mark.parametrize("columns", [("numerai_ticker", "signal"), ("symbol", "prediction"), ("ticker", "probability")])
def test_the_columns_of_the_fields_other_tournaments_are_understood(
    asker: Asker, round: Round, columns: tuple[str, str]
) -> None:
    frame = seas.predictions("kelpie", round).set_axis(list(columns), axis=1)

    pk = asker.submit(frame.to_csv(index=False).encode())

    assert Submission.objects.get(pk=pk).status == "ACCEPTED"
