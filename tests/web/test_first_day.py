"""A site without tournaments, and a tournament before its first round: every page says what comes next."""

from __future__ import annotations

import pytest
from django.test import Client

from regatta.accounts.models import User
from regatta.submissions.models import ContributedModel
from tests.flows import seas

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/", "/docs/", "/docs/points/", "/accounts/login/", "/nowhere/"])
def test_an_empty_site_has_pages(client: Client, address: str) -> None:
    assert client.get(address).status_code == (404 if address == "/nowhere/" else 200)


def test_an_empty_site_says_how_to_begin(client: Client) -> None:
    assert b"There is no tournament yet" in client.get("/").content


@pytest.mark.parametrize("address", ["/meta-model/", "/portfolio/", "/rounds/1/"])
def test_pages_of_a_tournament_need_one(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/", "No round has resolved yet"),
        ("/tournaments/seas/", "No round has opened yet"),
        ("/tournaments/seas/leaderboard/", "No round has resolved yet"),
        ("/tournaments/seas/data/", "train.parquet"),
        ("/models/kelpie/", "No final score yet"),
        ("/meta-model/", "No round has closed yet"),
        ("/portfolio/", "No book has been chosen yet"),
        ("/portfolio/tear-sheet/", "ten closes later the sheet stands here"),
    ],
)
def test_a_page_before_the_first_round_says_what_comes(client: Client, address: str, said: str) -> None:
    seas.make(rounds=4)

    answer = client.get(address)

    assert answer.status_code == 200
    assert said in answer.content.decode()


def test_the_first_board_is_not_there_to_download(client: Client) -> None:
    seas.make(rounds=4)

    assert client.get("/tournaments/seas/leaderboard.csv").status_code == 404


def test_a_newcomer_is_shown_where_to_open_a_model(client: Client) -> None:
    client.force_login(User.objects.create_user("ada", "ada@example.org", "tide-and-wind-9"))

    assert b"Open one on your account page" in client.get("/submit/").content
    assert ContributedModel.objects.count() == 0
