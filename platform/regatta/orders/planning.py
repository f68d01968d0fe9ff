"""Plan, confirm and withdraw orders: what was previewed is what is confirmed, by its hash and within ten minutes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from regatta import artifacts
from regatta.accounts.models import User
from regatta.orders.models import OrderEvent, OrderPlan, PaperAccount
from regatta.portfolios.accounting import last_closes
from regatta.portfolios.models import Rebalance
from regatta.rounds.models import Tournament
from regatta.rounds.prices import known_prices
from tournament.errors import BadInput, Fault
from tournament.portfolio.orders import Order, csv_bytes, fix_bytes, parquet_bytes, sized_orders

VALID = timedelta(minutes=10)
LEAST_CASH, MOST_CASH = 1_000.0, 1e12
FILES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet", "fix": "text/plain"}


def may_use(user: User, account: PaperAccount) -> bool:
    """Staff may use every account, others their own."""
    return bool(user.is_staff) or account.owner_id == user.pk


def open_account(tournament: Tournament, owner: User, name: str, cash: float) -> PaperAccount:
    """A new account with cash alone. Raises BadInput."""
    if not name or len(name) > 40:
        raise BadInput(Fault("name", f"the name has {len(name)} letters", "give 1 to 40"))
    if not LEAST_CASH <= cash <= MOST_CASH:
        raise BadInput(Fault("cash", f"the cash is {cash:g}", f"give {LEAST_CASH:,.0f} to {MOST_CASH:,.0f}"))
    try:
        with transaction.atomic():
            return PaperAccount.objects.create(tournament=tournament, owner=owner, name=name, cash=cash)
    except IntegrityError:
        raise BadInput(Fault("name_taken", f"there is an account {name!r} already", "give another name")) from None


def newest_prices(tournament: Tournament, now: datetime) -> tuple[dict[str, float], datetime]:
    """The newest known close of every asset, and its day."""
    panel = known_prices(tournament, now)
    last = len(panel.dates_D) - 1
    closes = dict(zip(panel.ids, map(float, last_closes(panel, last)), strict=True))
    return closes, panel.dates_D[last].astype(object)


def value_of(account: PaperAccount, prices: Mapping[str, float]) -> float:
    """Cash and positions at prices."""
    return float(account.cash + sum(units * prices[name] for name, units in account.positions.items()))


@transaction.atomic
def plan_orders(account: PaperAccount, actor: User, *, now: datetime) -> OrderPlan:
    """Orders from what the account holds to the newest book, valid for ten minutes. Raises BadInput."""
    account = PaperAccount.objects.select_for_update().get(pk=account.pk)
    book = _newest_book(account)
    if account.plans.filter(state=OrderPlan.State.CONFIRMED).exists():
        raise BadInput(Fault("waiting", "a confirmed plan waits for the next bar", "wait for its fills"))
    prices, day = newest_prices(account.tournament, account.tournament.now())
    value = value_of(account, prices)
    weights = {row["id"]: row["weight"] for row in book.holdings if row["weight"]}
    orders = sized_orders(weights, account.positions, prices, value=value)
    plan = OrderPlan.objects.create(
        account=account, book=book, orders=[asdict(order) for order in orders], digest=digest_of(account, book, orders),
        value=value, priced_on=day, planned_at=now, expires_at=now + VALID,
    )  # fmt: skip
    _tell(plan, actor, f"planned {len(orders)} orders to the book of round {book.round.number}", now)
    return plan


@transaction.atomic
def confirm(plan: OrderPlan, actor: User, digest: str, *, now: datetime) -> OrderPlan:
    """Confirm what was previewed: write and sign its files, for the next bar to fill. Raises BadInput."""
    account = PaperAccount.objects.select_for_update().select_related("tournament").get(pk=plan.account_id)
    plan = OrderPlan.objects.select_for_update(of=("self",)).select_related("book__round").get(pk=plan.pk)
    _refuse_stale(plan, account, digest, now)
    orders = plan.parsed_orders()
    files = {
        "csv": csv_bytes(orders), "parquet": parquet_bytes(orders),
        "fix": fix_bytes(orders, key=plan.digest[:12], at=now),
    }  # fmt: skip
    plan.state, plan.confirmed_at, plan.market_at = OrderPlan.State.CONFIRMED, now, account.tournament.now()
    plan.files = {kind: artifacts.put(data) for kind, data in files.items()}
    plan.save(update_fields=["state", "confirmed_at", "market_at", "files"])
    _tell(plan, actor, f"confirmed by hash {plan.digest[:12]}", now)
    return plan


@transaction.atomic
def withdraw(plan: OrderPlan, actor: User, *, now: datetime) -> bool:
    """Drop a plan that is not filled yet; whether this call did it."""
    waiting = OrderPlan.objects.filter(pk=plan.pk, state__in=[OrderPlan.State.PLANNED, OrderPlan.State.CONFIRMED])
    if not waiting.update(state=OrderPlan.State.WITHDRAWN):
        return False
    _tell(plan, actor, "withdrawn", now)
    return True


def digest_of(account: PaperAccount, book: Rebalance, orders: tuple[Order, ...]) -> str:
    """SHA-256 of the orders, the book, and what the account held when they were made."""
    state = json.dumps([account.pk, book.holdings_sha256, account.cash, account.positions], sort_keys=True)
    return hashlib.sha256(state.encode() + csv_bytes(orders)).hexdigest()


def signature(account: PaperAccount, data: bytes) -> str:
    """HMAC-SHA256 of a file by the account's key, in hex."""
    return hmac.new(account.secret.encode(), data, hashlib.sha256).hexdigest()


def note_download(plan: OrderPlan, actor: User, kind: str, *, now: datetime) -> None:
    """Write down who took a file."""
    _tell(plan, actor, f"took the {kind} file", now)


def _newest_book(account: PaperAccount) -> Rebalance:
    books = Rebalance.objects.filter(round__tournament=account.tournament_id).select_related("round")
    found = books.order_by("-round__number").first()
    if found is None:
        raise BadInput(Fault("no_book", "there is no book yet", "wait for the first close"))
    return found


def _refuse_stale(plan: OrderPlan, account: PaperAccount, digest: str, now: datetime) -> None:
    """Raise BadInput unless the plan is the one that was seen, in time, and nothing that it hangs on has changed."""
    again = "plan again"
    if plan.state != OrderPlan.State.PLANNED:
        raise BadInput(Fault("state", f"the plan is {plan.state.lower()}", again))
    if now >= plan.expires_at:
        raise BadInput(Fault("expired", f"the plan was valid until {plan.expires_at:%H:%M:%S} UTC", again))
    if not hmac.compare_digest(digest.encode(), plan.digest.encode()):
        raise BadInput(Fault("hash", "the hash is not that of this plan", "confirm what the page shows"))
    if _newest_book(account).pk != plan.book_id:
        raise BadInput(Fault("new_book", "a newer book has been chosen since", again))
    if digest_of(account, plan.book, plan.parsed_orders()) != plan.digest:
        raise BadInput(Fault("moved", "the account has changed since", again))
    if account.plans.filter(state=OrderPlan.State.CONFIRMED).exists():
        raise BadInput(Fault("waiting", "another confirmed plan waits for the next bar", "wait for its fills"))


def _tell(plan: OrderPlan, actor: User | None, what: str, now: datetime) -> None:
    OrderEvent.objects.create(plan=plan, actor=actor, what=what, at=now)
