"""Files that pages offer are read back whole."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from django.test import Client

from regatta.pages.downloads import csv_file
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Tournament
from regatta.scores.models import Score

pytestmark = pytest.mark.django_db


def read(client: Client, address: str) -> pd.DataFrame:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    return pd.read_csv(io.BytesIO(answer.content))


def test_weights_of_every_round_sum_to_one(sailed: Tournament, client: Client) -> None:
    weights = read(client, "/meta-model/weights.csv?tournament=seas")

    sums = weights.groupby("round")["weight"].sum()

    assert list(sums.index) == list(range(1, 13))
    assert sums.to_numpy() == pytest.approx(1.0)


def test_values_are_those_of_the_book(sailed: Tournament, client: Client) -> None:
    nav = read(client, "/portfolio/nav.csv")

    assert list(nav["nav"]) == list(NavPoint.objects.order_by("date").values_list("nav", flat=True))


def test_holdings_are_those_of_every_book(sailed: Tournament, client: Client) -> None:
    holdings = read(client, "/portfolio/holdings.csv")

    gross = holdings["weight"].abs().groupby(holdings["round"]).sum()
    books = dict(Rebalance.objects.values_list("round__number", "gross"))
    assert gross.to_dict() == pytest.approx(books, abs=1e-6)


def test_trades_make_the_turnover_of_every_book(sailed: Tournament, client: Client) -> None:
    trades = read(client, "/portfolio/trades.csv")

    turnover = trades["trade"].abs().groupby(trades["round"]).sum()
    books = dict(Rebalance.objects.values_list("round__number", "turnover"))
    assert turnover.to_dict() == pytest.approx(books, abs=1e-6)


def test_scores_of_a_model_are_its_final_ones(sailed: Tournament, client: Client) -> None:
    scores = read(client, "/models/kelpie/scores.csv")

    final = Score.objects.filter(model__name="kelpie", is_final=True).order_by("round__number")
    assert list(scores["corr"]) == list(final.values_list("corr", flat=True))


def test_scores_of_a_round_are_those_of_its_models(sailed: Tournament, client: Client) -> None:
    scores = read(client, "/rounds/5/scores.csv?tournament=seas")

    assert sorted(scores["model"]) == sorted(sailed.rounds.get(number=5).panel_models)
    assert scores["is_final"].all()


@pytest.mark.parametrize("address", ["/rounds/99/scores.csv", "/models/nobody/scores.csv"])
def test_files_of_what_is_not_there_are_missing(sailed: Tournament, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1", "@sum", "\tx"])
def test_a_spreadsheet_runs_no_text_of_ours(text: str) -> None:
    written = csv_file("x", ("name",), [(text,)]).content.decode().splitlines()

    assert written[1].lstrip('"').startswith("'")


def test_negative_numbers_stay_numbers() -> None:
    assert csv_file("x", ("value",), [(-0.5,)]).content == b"value\r\n-0.5\r\n"
