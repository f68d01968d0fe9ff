"""Orders go out as previewed or not at all, to who may send them, once; the next bar fills them."""

from __future__ import annotations

import hashlib
import hmac
import io
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import User
from regatta.orders import planning
from regatta.orders.filling import fill_confirmed
from regatta.orders.models import OrderEvent, OrderPlan, PaperAccount
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import all_prices, row_after
from tournament.errors import BadInput

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]
CASH = 1_000_000.0


@pytest.fixture
def staff(sailed: Tournament) -> User:
    return User.objects.get(username="harbourmaster")


@pytest.fixture
def account(sailed: Tournament, staff: User) -> PaperAccount:
    return planning.open_account(sailed, staff, "Long keel", CASH)


@pytest.fixture
def plan(account: PaperAccount, staff: User) -> OrderPlan:
    return planning.plan_orders(account, staff, now=timezone.now())


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def confirmed(plan: OrderPlan, actor: User) -> OrderPlan:
    return planning.confirm(plan, actor, plan.digest, now=timezone.now())


def later(tournament: Tournament) -> Tournament:
    """The same tournament a week on."""
    tournament.refresh_from_db()
    tournament.clock_at = tournament.now() + timedelta(days=7)
    return tournament


def test_orders_lead_to_the_newest_book(plan: OrderPlan) -> None:
    book = Rebalance.objects.order_by("-round__number")[0]
    targets = {row["id"]: row["weight"] for row in book.holdings if row["weight"]}

    reached = {order.asset: order.signed * order.price / CASH for order in plan.parsed_orders()}

    assert plan.book == book
    assert reached == pytest.approx(targets, abs=2e-3)
    assert all(abs(weight) <= abs(targets[name]) + 1e-12 for name, weight in reached.items())


def test_confirmed_files_hold_the_orders_and_are_signed(desk: Client, plan: OrderPlan) -> None:
    assert desk.get(f"/portfolio/orders/{plan.pk}/files/csv").status_code == 404

    desk.post(f"/portfolio/orders/{plan.pk}/confirm/", {"digest": plan.digest})

    for kind in ("csv", "parquet", "fix"):
        answer = desk.get(f"/portfolio/orders/{plan.pk}/files/{kind}")
        signed = hmac.new(plan.account.secret.encode(), answer.content, hashlib.sha256).hexdigest()
        assert answer["X-Regatta-Signature"] == f"sha256={signed}"
        assert desk.get(f"/portfolio/orders/{plan.pk}/files/{kind}.sig").content.decode().strip() == f"sha256={signed}"
    frame = pd.read_csv(io.BytesIO(desk.get(f"/portfolio/orders/{plan.pk}/files/csv").content))
    assert list(frame["asset"]) == [order.asset for order in plan.parsed_orders()]


def test_a_plan_is_valid_for_ten_minutes(plan: OrderPlan, staff: User) -> None:
    with pytest.raises(BadInput, match="valid until"):
        planning.confirm(plan, staff, plan.digest, now=plan.planned_at + timedelta(minutes=10))

    planning.confirm(plan, staff, plan.digest, now=plan.planned_at + timedelta(minutes=9, seconds=59))


@pytest.mark.parametrize("digest", ["", "0" * 64, "ß"])
def test_another_hash_confirms_nothing(desk: Client, plan: OrderPlan, digest: str) -> None:
    desk.post(f"/portfolio/orders/{plan.pk}/confirm/", {"digest": digest})

    plan.refresh_from_db()
    assert plan.state == "PLANNED"


def test_an_account_that_changed_is_planned_anew(plan: OrderPlan, staff: User) -> None:
    PaperAccount.objects.update(cash=CASH - 1)

    with pytest.raises(BadInput, match="has changed since"):
        confirmed(plan, staff)


def test_a_newer_book_makes_the_plan_stale(plan: OrderPlan, staff: User) -> None:
    older = Rebalance.objects.order_by("-round__number")[1]
    OrderPlan.objects.update(book=older)

    with pytest.raises(BadInput, match="newer book"):
        confirmed(plan, staff)


def test_confirming_twice_does_it_once(plan: OrderPlan, staff: User) -> None:
    confirmed(plan, staff)

    with pytest.raises(BadInput, match="is confirmed"), transaction.atomic():
        confirmed(plan, staff)
    assert OrderEvent.objects.filter(what__startswith="confirmed").count() == 1


def test_while_one_plan_waits_no_other_is_made(plan: OrderPlan, account: PaperAccount, staff: User) -> None:
    confirmed(plan, staff)

    with pytest.raises(BadInput, match="waits for the next bar"):
        planning.plan_orders(account, staff, now=timezone.now())


def test_the_next_bar_fills_and_not_the_one_before(plan: OrderPlan, staff: User, sailed: Tournament) -> None:
    plan = confirmed(plan, staff)

    assert fill_confirmed(sailed, sailed.now()) == 0
    assert fill_confirmed(sailed, later(sailed).now()) == 1
    assert fill_confirmed(sailed, later(sailed).now()) == 0

    plan.refresh_from_db()
    panel, account = all_prices(sailed), PaperAccount.objects.get()
    assert plan.market_at is not None
    row = row_after(panel, plan.market_at)
    opening = panel.close_DN if panel.open_DN is None else panel.open_DN
    spent = sum(
        order.signed * opening[row, panel.ids.index(order.asset)] * (1 + 0.0005 * np.sign(order.signed))
        for order in plan.parsed_orders()
    )
    assert plan.filled_on == panel.dates_D[row].astype(object)
    assert account.cash == pytest.approx(CASH - spent)
    assert account.positions == {order.asset: order.signed for order in plan.parsed_orders()}


def test_an_account_that_holds_the_book_has_nothing_left_to_trade(
    plan: OrderPlan, account: PaperAccount, staff: User, sailed: Tournament
) -> None:
    confirmed(plan, staff)
    fill_confirmed(sailed, later(sailed).now())

    again = planning.plan_orders(account, staff, now=timezone.now())

    traded = sum(order.notional for order in again.parsed_orders())
    assert traded < 0.1 * sum(order.notional for order in plan.parsed_orders())


def test_a_withdrawn_plan_is_not_filled(desk: Client, plan: OrderPlan, staff: User, sailed: Tournament) -> None:
    confirmed(plan, staff)

    desk.post(f"/portfolio/orders/{plan.pk}/withdraw/")

    assert fill_confirmed(sailed, later(sailed).now()) == 0
    assert [event.what for event in OrderEvent.objects.all()][-1] == "withdrawn"


def test_pages_show_account_preview_and_trail(desk: Client, plan: OrderPlan) -> None:
    assert "Long keel" in desk.get("/portfolio/orders/?tournament=seas").content.decode()

    text = desk.get(f"/portfolio/orders/{plan.pk}/").content.decode()

    assert "Shall these orders go out?" in text
    assert plan.digest in text
    assert "planned" in text


def test_what_was_taken_is_written_down(desk: Client, plan: OrderPlan, staff: User) -> None:
    confirmed(plan, staff)

    desk.get(f"/portfolio/orders/{plan.pk}/files/fix")

    last = OrderEvent.objects.order_by("-id")[0]
    assert (last.what, last.actor) == ("took the fix file", staff)


def test_staff_open_accounts_by_page(desk: Client, sailed: Tournament) -> None:
    desk.post("/portfolio/orders/accounts/?tournament=seas", {"name": "Fin keel", "cash": "250000"})
    desk.post("/portfolio/orders/accounts/?tournament=seas", {"name": "Fin keel", "cash": "1000"})
    desk.post("/portfolio/orders/accounts/?tournament=seas", {"name": "No keel", "cash": "nan"})
    desk.post("/portfolio/orders/accounts/?tournament=seas", {"name": "Poor keel", "cash": "1"})

    assert list(PaperAccount.objects.values_list("name", "cash")) == [("Fin keel", 250000.0)]


def test_others_see_and_do_nothing(client: Client, plan: OrderPlan) -> None:
    other = User.objects.get(username="owner_of_kelpie")
    assert client.get("/portfolio/orders/?tournament=seas").status_code == 302
    client.force_login(other)

    assert "Long keel" not in client.get("/portfolio/orders/?tournament=seas").content.decode()
    assert client.post("/portfolio/orders/accounts/?tournament=seas", {"name": "x", "cash": "5000"}).status_code == 403
    for address in ("", "files/csv"):
        assert client.get(f"/portfolio/orders/{plan.pk}/{address}").status_code == 404
    for deed in ("confirm", "withdraw"):
        assert client.post(f"/portfolio/orders/{plan.pk}/{deed}/", {"digest": plan.digest}).status_code == 404
    assert client.post(f"/portfolio/orders/accounts/{plan.account_id}/plan/").status_code == 404


def test_an_owner_uses_an_account_of_his_own(client: Client, plan: OrderPlan) -> None:
    owner = User.objects.get(username="owner_of_kelpie")
    PaperAccount.objects.update(owner=owner)
    client.force_login(owner)

    client.post(f"/portfolio/orders/{plan.pk}/confirm/", {"digest": plan.digest})

    plan.refresh_from_db()
    assert plan.state == "CONFIRMED"
    assert plan.events.last().actor == owner  # type: ignore[union-attr]


@pytest.mark.parametrize("address", ["confirm/", "withdraw/"])
def test_looking_changes_nothing(desk: Client, plan: OrderPlan, address: str) -> None:
    assert desk.get(f"/portfolio/orders/{plan.pk}/{address}").status_code == 405
