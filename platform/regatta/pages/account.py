"""A contributor's own page: models, points and stakes, keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from regatta.access import for_contributors, for_owners
from regatta.accounts.forms import KeyForm
from regatta.accounts.models import SCOPES, ApiKey, User
from regatta.accounts.views import NEW_SECRET
from regatta.hosting.models import HostedModel
from regatta.pages.forms import NewModelForm, StakeForm
from regatta.scores.models import Leaderboard
from regatta.stakes.ledger import put_at_stake, take_from_stake
from regatta.stakes.overview import free_points, movements, stakes_of
from regatta.submissions.models import ContributedModel, Submission
from regatta.submissions.slots import set_experimental
from regatta.webhooks.delivering import EVENTS
from regatta.webhooks.models import Webhook
from tournament.errors import BadInput


@for_contributors()
@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Everything that is the contributor's; the secret of a key just made is shown this once."""
    return show(request, NewModelForm(owner=owner_of(request)), 200)


@for_contributors()
@login_required
@require_POST
def open_model(request: HttpRequest) -> HttpResponse:
    """Open a slot for a model; a wrong form comes back with its faults."""
    form = NewModelForm(request.POST, owner=owner_of(request))
    if form.is_valid():
        try:
            with transaction.atomic():
                model = form.save()
        except IntegrityError:  # somebody took the name between the check and the write
            form.add_error("name", "A model of this name exists; choose another name.")
        else:
            messages.success(request, f"{model.name} is open. Send it predictions, or put points at stake.")
            return redirect("account")
    return show(request, form, 422)


@for_owners("model")
@login_required
@require_POST
def move_stake(request: HttpRequest, name: str) -> HttpResponse:
    """Put points at stake or take them back; the ledger refuses what is not free."""
    model = get_object_or_404(ContributedModel.objects.select_related("tournament"), owner=request.user, name=name)
    form = StakeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a number of points above zero, with at most six decimals.")
        return redirect("account")
    puts, points = form.cleaned_data["direction"] == "put", form.cleaned_data["points"]
    key = f"stake:{model.owner_id}:{form.cleaned_data['key']}"
    try:
        (put_at_stake if puts else take_from_stake)(model, points, key=key, now=model.tournament.now())
    except BadInput as bad:
        messages.error(request, f"{name}: {bad}.")
    else:
        done = "now at stake for" if puts else "taken back from"
        messages.success(request, f"{points.normalize():f} points {done} {name}; it counts from the next close.")
    return redirect("account")


@for_owners("model")
@login_required
@require_POST
def experiment(request: HttpRequest, name: str) -> HttpResponse:
    """Make a model experimental, or let it sail with the fleet again."""
    model = get_object_or_404(ContributedModel.objects.select_related("tournament"), owner=request.user, name=name)
    try:
        set_experimental(model, request.POST.get("experimental") == "yes")
    except BadInput as bad:
        messages.error(request, f"{name}: {bad}.")
    else:
        sails = "is experimental: scored, and off board, blend and stakes," if model.is_experimental else "counts again"
        messages.success(request, f"{name} {sails} from the next round on.")
    return redirect("model", name=name)


def show(request: HttpRequest, form: NewModelForm, status: int) -> HttpResponse:
    """The page around a form for a new model."""
    owner = owner_of(request)
    context = {
        "form": form, "models": own_models(owner), "free": free_points(owner.pk), "movements": movements(owner.pk),
        "keys": ApiKey.objects.filter(owner=owner), "key_form": KeyForm(), "scopes": SCOPES,
        "webhooks": Webhook.objects.filter(owner=owner, is_active=True).select_related("model"), "events": EVENTS,
        "new_key": request.session.pop(NEW_SECRET, None),
    }  # fmt: skip
    return render(request, "accounts/account.html", context, status=status)


def owner_of(request: HttpRequest) -> User:
    """Who is logged in. Raises PermissionDenied for a stranger, whom `login_required` has sent away before."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def files_that_count(models: Sequence[ContributedModel]) -> QuerySet[Submission]:
    """Of each model's newest round, the file that counts; where none does, the last."""
    counts = Case(When(status=Submission.Status.ACCEPTED, is_late=False, then=1), default=0)
    found = Submission.objects.filter(model__in=models).select_related("round")
    return found.order_by("model_id", "-round__number", counts.desc(), "-id").distinct("model_id")


def own_models(owner: User) -> list[dict[str, Any]]:
    """The contributor's models with their stake, standing and last file; a fixed number of queries."""
    models = list(ContributedModel.objects.filter(owner=owner).select_related("tournament"))
    stakes = stakes_of(models)
    boards = Leaderboard.objects.filter(tournament__in={model.tournament_id for model in models})
    newest = boards.order_by("tournament_id", "-round__number").distinct("tournament_id")
    standing = {row["model"]: row for board in newest for row in board.rows}
    sent = {submission.model_id: submission for submission in files_that_count(models)}
    sailing = dict(HostedModel.objects.filter(model__in=models, is_assigned=True).values_list("model_id", "number"))
    return [
        {
            "model": model, "stake": stakes[model.pk], "standing": standing.get(model.name), "sent": sent.get(model.pk),
            "hosted": sailing.get(model.pk), "key": secrets.token_hex(12),
        }
        for model in models
    ]  # fmt: skip
