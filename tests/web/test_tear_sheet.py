"""The live book's tear sheet: every part of it, for whoever asks, and its series."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from django.test import Client

from regatta.portfolios.models import NavPoint
from regatta.rounds.models import Tournament

pytestmark = pytest.mark.django_db


def test_the_sheet_shows_every_part(sailed: Tournament, client: Client) -> None:
    page = client.get("/portfolio/tear-sheet/?tournament=seas")

    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("<h3>") >= 31
    for question in (
        "How did the value grow?",
        "Which were the worst falls?",
        "Could it be luck?",
        "How large may it grow?",
    ):
        assert question in text
    assert " style=" not in text  # the site's policy allows no inline style
    assert "nan" not in text


def test_the_sheets_value_is_that_of_the_books(sailed: Tournament, client: Client) -> None:
    series = pd.read_csv(io.StringIO(client.get("/portfolio/series.csv?tournament=seas").content.decode()))

    points = NavPoint.objects.filter(tournament=sailed).order_by("date")
    assert list(series["nav"]) == list(points.values_list("nav", flat=True))
    assert list(series["date"]) == [f"{point.date:%Y-%m-%d}" for point in points]
    assert {"drawdown", "market", "forecast_volatility", "earned_selection"} <= set(series)


def test_asking_twice_writes_it_once(sailed: Tournament, client: Client, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    client.get("/portfolio/tear-sheet/?tournament=seas")

    with django_assert_max_num_queries(12):
        client.get("/portfolio/tear-sheet/?tournament=seas")
