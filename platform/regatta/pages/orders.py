"""Orders out by page: accounts, a preview of what would be traded, its confirmation, files, fills and the trail."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from regatta import artifacts
from regatta.access import Access, Who, declared, for_contributors, for_owners_and_staff
from regatta.accounts.models import User
from regatta.orders import planning
from regatta.orders.models import OrderPlan, PaperAccount
from regatta.pages.account import owner_of
from regatta.pages.context import choose, required
from regatta.rounds.models import Tournament
from tournament.errors import BadInput
from tournament.portfolio.orders import Fill, Order

SHOWN_PLANS = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """An account at the newest closes."""

    account: PaperAccount
    value: float
    gross: float
    net: float
    positions: int


@for_contributors()
@never_cache
@login_required
@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """The accounts that one may use, with their newest plans."""
    tournament, user = required(request), owner_of(request)
    accounts = list(accounts_of(user, tournament))
    plans = OrderPlan.objects.filter(account__in=accounts).select_related("account", "book__round")
    context = {
        "tournament": tournament, "standings": standings(accounts, tournament), "plans": plans[:SHOWN_PLANS],
        "now": timezone.now(), "is_staff": user.is_staff, "minutes": planning.VALID.seconds // 60,
    }  # fmt: skip
    return render(request, "pages/orders.html", context)


@declared(Access(Who.STAFF))
@login_required
@require_POST
def open_paper_account(request: HttpRequest) -> HttpResponse:
    """Open an account; staff alone may. Raises PermissionDenied."""
    tournament, user = required(request), owner_of(request)
    if not user.is_staff:
        raise PermissionDenied("accounts are opened by staff")
    try:
        made = planning.open_account(tournament, user, request.POST.get("name", "").strip(), _cash(request))
        messages.success(request, f"{made.name} is open.")
    except BadInput as bad:
        messages.error(request, f"{bad}.")
    return _back(tournament)


@for_owners_and_staff("paper account")
@login_required
@require_POST
def plan_orders(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan the orders that lead an account to the newest book."""
    account = get_object_or_404(PaperAccount.objects.select_related("tournament"), pk=pk)
    _refuse_others(owner_of(request), account)
    try:
        made = planning.plan_orders(account, owner_of(request), now=timezone.now())
    except BadInput as bad:
        messages.error(request, f"{bad}.")
        return _back(account.tournament)
    return redirect("order_plan", pk=made.pk)


@for_owners_and_staff("order plan")
@never_cache
@login_required
@require_safe
def order_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """What would be, is being or was traded, with hash, files, fills and trail."""
    plan = plan_of(request, pk)
    choose(request, plan.account.tournament)
    parsed, now = plan.parsed_orders(), timezone.now()
    context = {
        "plan": plan, "tournament": plan.account.tournament, "is_valid": plan.is_valid_at(now),
        "left": max(0, int((plan.expires_at - now).total_seconds())), "rows": _rows(parsed, plan.parsed_fills()),
        "count": len(parsed), "bought": _worth(parsed, 1) / plan.value, "sold": _worth(parsed, -1) / plan.value,
        "cost": sum(fill.cost for fill in plan.parsed_fills()), "events": plan.events.select_related("actor"),
        "kinds": [(kind, planning.signature(plan.account, artifacts.get(sha))) for kind, sha in plan.files.items()],
        "is_waiting": plan.state == OrderPlan.State.CONFIRMED,
    }  # fmt: skip
    return render(request, "pages/order_plan.html", context)


@for_owners_and_staff("order plan")
@login_required
@require_POST
def confirm_orders(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the plan whose hash the form carries."""
    plan = plan_of(request, pk)
    try:
        planning.confirm(plan, owner_of(request), request.POST.get("digest", ""), now=timezone.now())
        messages.success(request, "Confirmed. The files are signed; the paper broker fills at the next bar.")
    except BadInput as bad:
        messages.error(request, f"{bad}.")
    return redirect("order_plan", pk=pk)


@for_owners_and_staff("order plan")
@login_required
@require_POST
def withdraw_orders(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a plan that is not filled."""
    if planning.withdraw(plan_of(request, pk), owner_of(request), now=timezone.now()):
        messages.success(request, "The plan is withdrawn; nothing of it will be filled.")
    else:
        messages.error(request, "It is filled or withdrawn already.")
    return redirect("order_plan", pk=pk)


@for_owners_and_staff("order file")
@never_cache
@login_required
@require_safe
def order_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A confirmed plan's file with its signature in the head; `<kind>.sig` is the signature alone. Raises Http404."""
    plan = plan_of(request, pk)
    wanted = kind.removesuffix(".sig")
    if wanted not in plan.files:
        raise Http404("there is no such file; a plan has files once it is confirmed")
    data = artifacts.get(plan.files[wanted])
    signed = f"sha256={planning.signature(plan.account, data)}"
    planning.note_download(plan, owner_of(request), kind, now=timezone.now())
    answer = HttpResponse(
        f"{signed}\n" if kind.endswith(".sig") else data,
        content_type="text/plain" if kind.endswith(".sig") else planning.FILES[wanted],
    )
    answer["X-Regatta-Signature"] = signed
    answer["Content-Disposition"] = f'attachment; filename="orders_{plan.pk}.{kind}"'
    return answer


def plan_of(request: HttpRequest, pk: int) -> OrderPlan:
    """The plan, for who may use its account. Raises Http404, so that others learn nothing of it."""
    found = OrderPlan.objects.select_related("account__tournament", "account__owner", "book__round")
    plan = get_object_or_404(found, pk=pk)
    if not planning.may_use(owner_of(request), plan.account):
        raise Http404("there is no such plan of yours")
    return plan


def accounts_of(user: User, tournament: Tournament) -> QuerySet[PaperAccount]:
    """The accounts of a tournament that someone may use."""
    found = PaperAccount.objects.filter(tournament=tournament).select_related("owner")
    return found if user.is_staff else found.filter(owner=user)


def standings(accounts: list[PaperAccount], tournament: Tournament) -> list[Standing]:
    """Value and exposures of accounts at the newest closes."""
    if not accounts:
        return []
    prices, _ = planning.newest_prices(tournament, tournament.now())
    return [_standing(account, prices) for account in accounts]


def _standing(account: PaperAccount, prices: dict[str, float]) -> Standing:
    value = planning.value_of(account, prices)
    held = [units * prices[name] / value for name, units in account.positions.items()] if value > 0 else []
    return Standing(account, value, sum(map(abs, held)), sum(held), len(held))


def _rows(parsed: tuple[Order, ...], fills: tuple[Fill, ...]) -> list[tuple[Order, Fill | None]]:
    """Orders with their fills, largest first."""
    pairs: list[tuple[Order, Fill | None]] = list(zip(parsed, fills or [None] * len(parsed), strict=True))
    return sorted(pairs, key=lambda pair: -pair[0].notional)


def _worth(parsed: tuple[Order, ...], sign: int) -> float:
    return sum(order.notional for order in parsed if order.signed * sign > 0)


def _refuse_others(user: User, account: PaperAccount) -> None:
    if not planning.may_use(user, account):
        raise Http404("there is no such account of yours")


def _cash(request: HttpRequest) -> float:
    """The cash of the form. Raises BadInput."""
    try:
        found = float(request.POST.get("cash", ""))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadInput("the cash is no number")
    return found


def _back(tournament: Tournament) -> HttpResponse:
    answer = redirect("orders")
    answer["Location"] += f"?tournament={tournament.slug}"
    return answer
