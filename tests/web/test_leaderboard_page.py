"""The leaderboard is sorted, filtered and downloaded as its address says."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.http import QueryDict
from django.test import Client

from regatta.pages.board import Wish
from regatta.rounds.models import Tournament
from regatta.scores.models import Leaderboard

pytestmark = pytest.mark.django_db
ROWS = [
    {"model": "kelpie", "owner": "Amara", "is_benchmark": False, "rank": 1, "mmc": 0.01, "best_regime": "Stress"},
    {"model": "gale", "owner": "Bjorn", "is_benchmark": False, "rank": 2, "mmc": None, "best_regime": None},
    {"model": "example", "owner": "regatta", "is_benchmark": True, "rank": 3, "mmc": 0.03, "best_regime": "Rotation"},
]


def names(query: str) -> list[str]:
    return [row["model"] for row in Wish.of(QueryDict(query)).of_rows(ROWS)]


def models_in(client: Client, query: str) -> list[str]:
    text = client.get(f"/tournaments/seas/leaderboard/?{query}").content.decode()
    return re.findall(r'href="/models/(\w+)/"', text)


def test_without_a_wish_the_best_rank_is_first() -> None:
    assert names("") == ["kelpie", "gale", "example"]


def test_a_score_puts_its_greatest_first_and_the_unknown_last() -> None:
    assert names("sort=mmc") == ["example", "kelpie", "gale"]


def test_the_other_way_round_the_unknown_stays_last() -> None:
    assert names("sort=mmc&order=up") == ["kelpie", "example", "gale"]


def test_text_finds_models_and_contributors_in_any_case() -> None:
    assert names("q=KEL") == ["kelpie"]
    assert names("q=bjorn") == ["gale"]


def test_kinds_part_contributed_models_from_benchmarks() -> None:
    assert names("kind=benchmark") == ["example"]
    assert names("kind=contributed") == ["kelpie", "gale"]


def test_a_regime_keeps_the_models_that_are_best_in_it() -> None:
    assert names("regime=Stress") == ["kelpie"]


def test_an_unknown_column_means_the_rank() -> None:
    assert names("sort=password&kind=x") == ["kelpie", "gale", "example"]


def test_the_page_is_sorted_by_its_address(sailed: Tournament, client: Client) -> None:
    ranked, turned = models_in(client, ""), models_in(client, "sort=rank&order=down")

    assert len(ranked) == 6
    assert turned == ranked[::-1]


def test_the_sorted_column_is_told_to_screen_readers(sailed: Tournament, client: Client) -> None:
    text = client.get("/tournaments/seas/leaderboard/?sort=bmc").content.decode()

    assert len(re.findall(r'aria-sort="descending"', text)) == 1


def test_a_head_keeps_the_filter(sailed: Tournament, client: Client) -> None:
    text = client.get("/tournaments/seas/leaderboard/?q=kel&sort=corr").content.decode()

    assert "?q=kel&amp;sort=mmc&amp;order=down" in text


def test_every_score_has_its_standard_error(sailed: Tournament, client: Client) -> None:
    text = client.get("/tournaments/seas/leaderboard/?q=kelpie").content.decode()

    # corr, mmc, bmc and contribution;
    # the features of so small a universe span all its rows, which leaves fnc nothing to score
    assert text.count("<small>± 0.") == 4


def test_an_earlier_board_is_shown_as_it_was(sailed: Tournament, client: Client) -> None:
    text = client.get("/tournaments/seas/leaderboard/?round=2").content.decode()

    assert "As of round 2:" in text


def test_nobody_found_leads_back_to_all(sailed: Tournament, client: Client) -> None:
    assert b"No model fits" in client.get("/tournaments/seas/leaderboard/?q=nobody").content


def test_the_csv_holds_what_the_page_shows(sailed: Tournament, client: Client) -> None:
    query = "sort=mmc&kind=contributed"

    rows = list(csv.DictReader(io.StringIO(client.get(f"/tournaments/seas/leaderboard.csv?{query}").content.decode())))

    assert [row["model"] for row in rows] == models_in(client, query)
    assert all(float(row["corr_se"]) > 0 for row in rows)


def test_the_json_holds_the_same(sailed: Tournament, client: Client) -> None:
    found = client.get("/tournaments/seas/leaderboard.json?q=kelpie").json()

    assert [row["model"] for row in found["rows"]] == ["kelpie"]
    assert found["round"] == sailed.leaderboards.first().round.number


def test_no_other_kind_of_file_is_offered(sailed: Tournament, client: Client) -> None:
    assert client.get("/tournaments/seas/leaderboard.xml").status_code == 404


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x", "-1", "²"])
def test_a_strange_round_number_does_no_harm(sailed: Tournament, client: Client, number: str) -> None:
    assert client.get(f"/tournaments/seas/leaderboard/?round={number}").status_code == 200


def test_a_board_from_before_contributions_is_shown(sailed: Tournament, client: Client) -> None:
    board = Leaderboard.objects.order_by("-round__number")[0]
    kept = ("contribution", "contribution_se", "mpc", "mpc_se")
    board.rows = [{name: value for name, value in row.items() if name not in kept} for row in board.rows]
    board.save()

    assert client.get("/tournaments/seas/leaderboard/").status_code == 200
    assert client.get("/tournaments/seas/leaderboard/?sort=contribution").status_code == 200
    assert "Contribution, bp" not in client.get("/models/kelpie/").content.decode()
