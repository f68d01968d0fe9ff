"""Lists: few queries however long, pages that neither lose nor repeat what comes meanwhile, marks that save sending."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from regatta.access import Who
from regatta.api.v1.site import openapi_text
from regatta.notifications.models import Event, Notice
from regatta.rounds.models import Round
from tests.rest.planted import OTHER, OWNER, Sea, samples, token

pytestmark = pytest.mark.django_db
SPEC: dict[str, Any] = json.loads(openapi_text())
LISTS = {
    path: methods["get"]["x-access"] for path, methods in SPEC["paths"].items()
    if "get" in methods and any(one["name"] == "cursor" for one in methods["get"]["parameters"])
}  # fmt: skip
MOST_QUERIES = 6
"""The key, the counter, what the address names, the page, and what is read beside it."""


def get(where: str, key: str = "", **query: Any) -> Any:
    return Client().get(where, query, headers={"Authorization": f"Token {key}"} if key else {})


def whole(where: str, key: str, **query: Any) -> list[Any]:
    """Every thing of a list, page by page."""
    found, cursor = [], ""
    while True:
        page = get(where, key, **query, **({"cursor": cursor} if cursor else {})).json()
        found += page["results"]
        if page["next"] is None:
            return found
        cursor = page["next"]


def test_there_are_lists_of_everything() -> None:
    assert len(LISTS) >= 20


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_as_many_queries_for_one_as_for_all(sea: Sea, path: str) -> None:
    key = token(OWNER)
    where = path.format(**samples(sea, sea.owner)[LISTS[path]["of"]])
    get(where, key)  # the key's last use is written once

    counts = {}
    for limit in (1, 500):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert get(where, key, limit=limit).status_code == 200
        counts[limit] = len(asked)

    assert counts[500] <= MOST_QUERIES
    assert counts[1] == counts[500]


@pytest.mark.parametrize("path", LISTS)
def test_small_pages_make_the_same_list(sea: Sea, path: str) -> None:
    key = token(OWNER)
    where = path.format(**samples(sea, sea.owner)[LISTS[path]["of"]])

    assert whole(where, key, limit=1) == get(where, key, limit=500).json()["results"]


@pytest.mark.parametrize("path", [path for path, access in LISTS.items() if access["who"] != Who.ANYBODY])
def test_lists_hold_ones_own_things_alone(sea: Sea, path: str) -> None:
    """Of the things of two contributors that differ only by their owner, each is told of the one."""
    mine = get(path.format(**samples(sea, sea.owner)[LISTS[path]["of"]]), token(OWNER), limit=500).json()["results"]
    theirs = get(path.format(**samples(sea, sea.other)[LISTS[path]["of"]]), token(OTHER), limit=500).json()["results"]

    assert mine
    assert [one for one in mine if one in theirs] == []


def test_what_comes_meanwhile_shifts_no_page(sea: Sea) -> None:
    key = token(OWNER)
    owner = sea.tournament.models.get(name="kelpie").owner
    for number in range(4):
        Notice.objects.create(owner=owner, event=Event.OPENED, key=f"n{number}", title=f"n{number}")

    first = get("/api/v1/inbox/", key, limit=2).json()
    Notice.objects.create(owner=owner, event=Event.OPENED, key="later", title="later")
    second = get("/api/v1/inbox/", key, limit=2, cursor=first["next"]).json()

    assert [one["title"] for one in first["results"] + second["results"]] == ["n3", "n2", "n1", "n0"]


def test_a_page_of_a_board_is_of_the_board_of_the_page_before(sea: Sea) -> None:
    where = "/api/v1/tournaments/seas/leaderboard/"
    boards = get("/api/v1/tournaments/seas/leaderboards/").json()["results"]
    old, new = boards[0]["round"], boards[-1]["round"]

    first = get(where, round=old, limit=2).json()
    second = get(where, round=old, limit=500, cursor=first["next"]).json()
    mixed = get(where, round=new, cursor=first["next"])

    assert first["results"] + second["results"] == get(where, round=old).json()["results"]
    assert (mixed.status_code, mixed.json()["error"]["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize("cursor", ["nonsense", "WzVd:1xWTOU:MeGZB4W1vqQ6LorypmKLXTsaYenxULTTa9PaVIDvZR4"])
def test_a_cursor_that_was_made_up_is_refused(sea: Sea, cursor: str) -> None:
    answer = get("/api/v1/tournaments/seas/rounds/", cursor=cursor)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_cursor")


def test_a_cursor_of_another_list_is_refused(sea: Sea) -> None:
    cursor = get("/api/v1/tournaments/seas/rounds/", limit=1).json()["next"]

    assert get("/api/v1/tournaments/seas/weights/", cursor=cursor).status_code == 422


def test_rounds_come_in_either_order(sea: Sea) -> None:
    oldest = [one["number"] for one in whole("/api/v1/tournaments/seas/rounds/", "", limit=2)]
    newest = [one["number"] for one in whole("/api/v1/tournaments/seas/rounds/", "", limit=2, order="newest")]

    assert oldest == sorted(oldest) == newest[::-1]


@pytest.mark.parametrize("limit", [0, 501, -1, "many"])
def test_a_limit_that_is_none_is_refused(sea: Sea, limit: object) -> None:
    answer = get("/api/v1/tournaments/seas/rounds/", limit=limit)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_limit")


@pytest.mark.parametrize("path", LISTS)
def test_what_has_not_changed_is_not_sent_again(sea: Sea, path: str) -> None:
    key = token(OWNER)
    where = path.format(**samples(sea, sea.owner)[LISTS[path]["of"]])
    get(where, key)
    first = get(where, key)

    again = Client().get(where, headers={"Authorization": f"Token {key}", "If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert "Authorization" in first["Vary"]


def test_what_has_changed_is_sent(sea: Sea) -> None:
    where = "/api/v1/tournaments/seas/rounds/"
    first = get(where)
    round = sea.tournament.rounds.order_by("number")[0]
    Round.objects.filter(pk=round.pk).update(resolves_at=round.resolves_at + timedelta(days=1))

    again = Client().get(where, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]
