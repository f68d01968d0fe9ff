"""Every page answers with real content, within a fixed number of queries, and carries no script of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from regatta.accounts.models import User
from regatta.rounds.models import Tournament

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
PAGES = {
    "/": ("Ahead", 8),
    "/tournaments/seas/": ("Round 13", 9),
    "/tournaments/seas/data/": ("train.parquet", 6),
    "/tournaments/seas/leaderboard/": ("stillwater", 5),
    "/models/kelpie/": ("How much does the fleet trust it?", 9),
    "/rounds/5/?tournament=seas": ("Its target is known", 7),
    "/rounds/13/?tournament=seas": ("Closes in", 7),
    "/meta-model/?tournament=seas": ("Which wind blows?", 14),
    "/meta-model/?tournament=seas&round=6": ("Why these weights in round 6?", 14),
    "/portfolio/?tournament=seas": ("Tear sheet", 5),
    "/portfolio/why/?tournament=seas": ("What does each limit cost?", 5),
    "/portfolio/why/?tournament=seas&gross=80&position=9&turnover=200&net=0&aversion=20#what-if": (
        "Alpha after cost",
        5,
    ),
    "/status/": ("What is due next?", 12),
    "/docs/": ("curl", 2),
    "/docs/client/": ("starter notebook", 2),
    "/docs/files/": ("Faults", 2),
    "/docs/scoring/": ("fnc", 2),
    "/docs/selectors/": ("Champion and challengers", 2),
    "/docs/points/": ("double entry", 2),
    "/docs/api/": ("leaderboard", 2),
    "/accounts/login/": ("Password", 2),
    "/accounts/signup/": ("Password", 2),
}
OWN_PAGES = {
    "/accounts/": ("Which keys do I have?", 16),
    "/submit/": ("Send and check", 8),
    "/diagnostics/": ("Try it on the past", 7),
    "/accounts/models/kelpie/hosted/": ("Drop a model file here", 9),
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.get(username="owner_of_kelpie"))
    return client


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_shows_what_it_is_for(sailed: Tournament, client: Client, address: str) -> None:
    assert PAGES[address][0] in body(client, address)


@pytest.mark.parametrize("address", OWN_PAGES)
def test_an_own_page_shows_what_it_is_for(sailed: Tournament, owner: Client, address: str) -> None:
    assert OWN_PAGES[address][0] in body(owner, address)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asks_the_database_a_fixed_number_of_times(
    sailed: Tournament, client: Client, address: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(PAGES[address][1]):
        client.get(address)


@pytest.mark.parametrize("address", OWN_PAGES)
def test_an_own_page_asks_the_database_a_fixed_number_of_times(
    sailed: Tournament, owner: Client, address: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(OWN_PAGES[address][1]):
        owner.get(address)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_script_or_style_within(sailed: Tournament, client: Client, address: str) -> None:
    assert INLINE.search(body(client, address)) is None


@pytest.mark.parametrize("address", OWN_PAGES)
def test_an_own_page_has_no_script_or_style_within(sailed: Tournament, owner: Client, address: str) -> None:
    assert INLINE.search(body(owner, address)) is None


@pytest.mark.parametrize("address", ["/", "/meta-model/", "/models/kelpie/", "/portfolio/"])
def test_behind_every_chart_stands_a_table_of_its_data(sailed: Tournament, client: Client, address: str) -> None:
    text = body(client, address)

    charts = text.count('<figure class="chart')

    assert charts > 0
    assert text.count("Table of the same data") == charts


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/tournaments/seas/data/", "Data"),
        ("/rounds/5/", "Rounds"),
        ("/models/kelpie/", "Leaderboard"),
        ("/meta-model/", "Meta-model"),
        ("/portfolio/", "Portfolio"),
        ("/docs/api/", "Docs"),
    ],
)
def test_the_menu_marks_where_one_is(sailed: Tournament, client: Client, address: str, place: str) -> None:
    header = body(client, address).split("<main")[0]

    marked = re.findall(r'aria-current="page">([^<]+)<', header)

    assert marked == [place, place]


def test_the_bar_counts_down_to_the_close(sailed: Tournament, client: Client) -> None:
    assert "closes in <b>1 d 16 h</b>" in body(client, "/docs/")


def test_a_live_tournament_counts_down_by_the_clock_of_the_browser(sailed: Tournament, client: Client) -> None:
    Tournament.objects.filter(pk=sailed.pk).update(clock_at=None)

    assert f'data-until="{sailed.rounds.get(number=13).closes_at.isoformat()}"' in body(client, "/docs/")


def test_the_model_page_has_an_interval_for_every_regime(sailed: Tournament, client: Client) -> None:
    text = body(client, "/models/kelpie/")

    rows = re.findall(r'<th scope="row">(Steady trend|Stress)<small>\d+ rounds</small>', text)

    assert sorted(rows) == ["Steady trend", "Stress"]


def test_the_meta_model_names_the_likeliest_regime(sailed: Tournament, client: Client) -> None:
    assert "<b>Steady trend</b>, sure to 90" in body(client, "/meta-model/")


def test_scores_of_a_round_are_sorted_as_asked(sailed: Tournament, client: Client) -> None:
    text = body(client, "/rounds/5/?sort=mmc")
    wanted = [score.model.name for score in sailed.rounds.get(number=5).scores.filter(is_final=True).order_by("-mmc")]

    found = re.findall(r'/models/(\w+)/"', text.split("</table>")[0])

    assert found == wanted


def test_an_unopened_round_is_not_shown(sailed: Tournament, client: Client) -> None:
    assert client.get("/rounds/20/").status_code == 404


@pytest.mark.parametrize("address", ["/nowhere/", "/models/nobody/", "/docs/nowhere/", "/meta-model/?tournament=no"])
def test_a_missing_page_says_so_and_leads_on(sailed: Tournament, client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert b"There is nothing at this address" in answer.content
    assert b'href="/docs/"' in answer.content


def test_a_failure_of_ours_says_that_it_is_ours(
    sailed: Tournament, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regatta.pages.home.card", lambda tournament: 1 / 0)
    client.raise_request_exception = False

    answer = client.get("/")

    assert answer.status_code == 500
    assert b"This is our fault, not yours" in answer.content
    assert b"division" not in answer.content


def test_pages_are_not_changed_by_posts(sailed: Tournament, client: Client) -> None:
    assert client.post("/").status_code == 405
    assert client.post("/tournaments/seas/leaderboard/").status_code == 405


@pytest.mark.parametrize("address", ["/", "/nowhere/", "/admin/login/", "/api/v1/tournaments/", "/livez"])
def test_every_answer_says_what_browsers_may_do_with_it(sailed: Tournament, client: Client, address: str) -> None:
    answer = client.get(address)

    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_the_visitor_of_a_page_stays_unknown(sailed: Tournament, client: Client) -> None:
    answer = client.get("/")

    assert isinstance(answer.wsgi_request.user, AnonymousUser)
    assert "sessionid" not in answer.cookies
