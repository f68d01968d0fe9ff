"""The page that takes the book apart: parts, prices, styles, and another book under other limits, live."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.test import Client

from regatta.pages.reasons import find_book, holdings
from regatta.portfolios.explaining import alternative, reasons
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
LIMITS = "gross=80&position=9&turnover=200&net=0&aversion=20"


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/portfolio/why/?tournament=seas&{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_parts_of_each_holding_sum_to_its_weight(sailed: Tournament, client: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/portfolio/why.csv?tournament=seas").content.decode())))
    parts = ("alpha", "common_risk", "net", "beta", "cost_of_trading", "turnover", "gross", "position_limit")

    sums = [sum(float(row[part]) for part in parts) for row in rows]

    assert sums == pytest.approx([float(row["weight"]) for row in rows], abs=1e-10)
    assert len(rows) > 10


def test_the_table_shows_the_book_that_is_held(sailed: Tournament, client: Client) -> None:
    book = find_book(sailed, "")
    assert book is not None
    told = reasons(book.premises_sha256)
    assert told is not None

    shown = {row.asset: row.weight for row in holdings(told)}

    assert {row["id"]: row["weight"] for row in book.holdings if row["weight"]}.items() <= shown.items()
    assert book.holdings[0]["id"] in page(client)


def test_any_holding_can_be_drawn(sailed: Tournament, client: Client) -> None:
    second = Rebalance.objects.order_by("-round__number")[0].holdings[1]["id"]

    assert f"of {second}?</h2>" in page(client, f"asset={second}")


def test_an_earlier_round_can_be_asked_for(sailed: Tournament, client: Client) -> None:
    assert "round 5</a>" in page(client, "round=5")


def test_what_if_answers_with_both_books(sailed: Tournament, client: Client) -> None:
    text = page(client, LIMITS)

    assert "Alpha after cost" in text
    assert re.search(r"Gross</td><td>100\.0\u202f%</td><td>80\.0\u202f%", text)


def test_the_same_question_is_solved_once(sailed: Tournament, client: Client) -> None:
    alternative.cache_clear()

    page(client, LIMITS)
    page(client, LIMITS.replace("gross=80", "gross=80.0"))

    assert alternative.cache_info().misses == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("gross=-5", "Gross: Ensure this value is greater than or equal to 1"),
        ("gross=x", "Gross: Enter a number"),
        ("net=90", "limit net is 0.9"),
        ("position=0.1&net=50", "There is no such book"),
        ("gross=1e999999", "Gross: "),
        ("gross=NaN", "Gross: Enter a number"),
    ],
)
def test_limits_that_no_book_meets_are_refused_in_words(
    sailed: Tournament, client: Client, changed: str, told: str
) -> None:
    kept = [one for one in LIMITS.split("&") if one.split("=")[0] not in changed]

    assert told in page(client, "&".join([*kept, changed]))


def test_styles_and_regimes_are_told(sailed: Tournament, client: Client) -> None:
    text = page(client)

    assert "Momentum" in text
    assert "Stress" in text.split("In which weather did which style earn?")[1]
    assert NavPoint.objects.exclude(attribution=None).count() > 5


def test_without_kept_premises_the_page_says_so(sailed: Tournament, client: Client) -> None:
    Rebalance.objects.update(premises_sha256="")

    assert "No book has been chosen yet whose premises were kept" in page(client)
    assert client.get("/portfolio/why.csv?tournament=seas").status_code == 404


@pytest.mark.parametrize("round", ["99999", "x", "1e3"])
def test_a_round_without_a_book_is_not_found(round: str, sailed: Tournament, client: Client) -> None:
    assert client.get(f"/portfolio/why/?tournament=seas&round={round}").status_code == 404
