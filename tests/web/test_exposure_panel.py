"""The portfolio page tells how much of the book is held, why, and prior against learned."""

from __future__ import annotations

import pytest
from django.test import Client

from regatta.pages.exposure import told
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def page(client: Client) -> str:
    return str(client.get("/portfolio/?tournament=seas").content.decode())


def test_the_panel_tells_the_share_and_the_settings(sailed: Tournament, client: Client) -> None:
    shown = page(client)

    assert "How much of it is held?" in shown
    assert "Volatility, 3 months" in shown
    # these seas lie before the prior was learned, and the book is young: nobody knows yet what a limit would cost
    assert "nothing was known of other strategies then" in shown
    assert "would change Sharpe by" not in shown


def test_a_later_book_tells_what_a_limit_would_cost(sailed: Tournament, client: Client) -> None:
    book = Rebalance.objects.order_by("-round__number").first()
    assert book is not None
    book.overlay["why"]["tasks"] = 98
    book.save()

    assert "One of 25&nbsp;% would change Sharpe by" in page(client)


def test_the_default_comes_first_and_weights_sum_to_one(sailed: Tournament) -> None:
    exposure = told(Rebalance.objects.order_by("-round__number").first())

    assert exposure is not None
    assert exposure.rows[0].name == "volatility, 3 months"
    assert sum(row.weight for row in exposure.rows) == pytest.approx(1.0)


def test_a_book_from_before_overlays_has_no_panel(sailed: Tournament, client: Client) -> None:
    Rebalance.objects.update(overlay={})

    assert told(None) is None
    assert "How much of it is held?" not in page(client)
