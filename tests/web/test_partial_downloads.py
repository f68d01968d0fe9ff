"""Downloads can be looked at, taken in parts, and resumed byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from regatta import artifacts
from regatta.rounds.models import Tournament
from tests.flows import seas
from tests.web.graphql import Asker

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/tournaments/seas/files/live_00001.parquet"
DOWNLOAD = "query($id: String) { submissionDownloadAuth(id: $id) { filename url } }"


@pytest.fixture
def whole(opened: Tournament, db: None) -> bytes:
    return artifacts.get(seas.first(opened).live_sha256)


def get(asked: str, address: str = ADDRESS, **headers: str) -> Any:
    return Client().get(address, headers={"Range": asked} | headers)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, None), ("bytes=-7", -7, None), ("bytes=5-5", 5, 6)],
)
def test_a_range_is_sent_as_asked(whole: bytes, asked: str, start: int, stop: int | None) -> None:
    answer = get(asked)

    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    first = start % len(whole)
    assert answer["Content-Range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(answer.content))


def test_a_range_beyond_the_end_is_cut_there(whole: bytes) -> None:
    answer = get(f"bytes=10-{10 * len(whole)}")

    assert (answer.status_code, answer.content) == (206, whole[10:])


def test_a_range_after_the_end_cannot_be_had(whole: bytes) -> None:
    answer = get(f"bytes={len(whole)}-")

    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(whole)}")


@pytest.mark.parametrize("asked", ["bytes=9-2,4-5", "lines=1-2", "bytes=-", "bytes=x-", "bytes=" + "9" * 40 + "-"])
def test_what_is_no_single_range_gets_the_whole_file(whole: bytes, asked: str) -> None:
    answer = get(asked)

    assert (answer.status_code, answer.content) == (200, whole)


def test_a_file_that_has_changed_is_sent_whole(whole: bytes) -> None:
    answer = get("bytes=10-", **{"If-Range": '"another file"'})

    assert (answer.status_code, answer.content) == (200, whole)


def test_the_head_tells_the_length_without_the_file(whole: bytes) -> None:
    answer = Client().head(ADDRESS)

    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["Content-Length"], answer["Accept-Ranges"]) == (str(len(whole)), "bytes")


def test_a_contributor_fetches_her_own_file_again(opened: Tournament) -> None:
    sent = seas.submit("kelpie", seas.first(opened))

    auth = Asker.of("owner_of_kelpie").ask(DOWNLOAD, id=str(sent.pk))["submissionDownloadAuth"]
    path = auth["url"].partition("testserver")[2]

    assert auth["filename"] == "kelpie.csv"
    assert get("bytes=0-12", path).content == b"id,prediction"
    assert Client().get(path + "x").status_code == 404


def test_nobody_is_given_the_address_of_anothers_file(opened: Tournament) -> None:
    theirs = seas.submit("kelpie", seas.first(opened))

    assert "you have no submission" in Asker.of("owner_of_driftwood").refusal(DOWNLOAD, id=str(theirs.pk))
