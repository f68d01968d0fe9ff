"""A contributor's webhooks by page: made, removed, and what was sent to them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from regatta.access import for_contributors, for_owners
from regatta.jobs.pauses import PAUSES
from regatta.pages.account import owner_of
from regatta.submissions.models import Submission
from regatta.webhooks.delivering import create, replay
from regatta.webhooks.models import Delivery, Webhook
from tournament.errors import BadInput

SHOWN = 50


@for_contributors()
@login_required
@require_POST
def open_webhook(request: HttpRequest) -> HttpResponse:
    """Make a webhook; a wrong address is refused with what is wrong."""
    try:
        hook = create(owner_of(request), request.POST.get("url", "").strip(), request.POST.getlist("events"))
    except BadInput as bad:
        messages.error(request, f"{bad}.")
        return redirect("account")
    messages.success(request, f"{hook.url} will be told. Check signatures with the secret on this page.")
    return redirect("webhook", pk=hook.pk)


@for_owners("webhook")
@never_cache
@login_required
@require_safe
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook with its secret, its last deliveries, and what was submitted in answer to them."""
    hook = get_object_or_404(Webhook.objects.select_related("model"), pk=pk, owner=owner_of(request))
    deliveries = list(hook.deliveries.all()[:SHOWN])
    names = [str(one.name) for one in deliveries]
    answers = Submission.objects.filter(model__owner=hook.owner_id, trigger_id__in=names).order_by("id")
    answered = {one.trigger_id: one for one in answers.select_related("model")}
    rows = [(one, answered.get(str(one.name))) for one in deliveries]
    return render(request, "pages/webhook.html", {"hook": hook, "rows": rows, "most": len(PAUSES) + 1})


@for_owners("webhook")
@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing more to a webhook; its log stays."""
    hook = get_object_or_404(Webhook, pk=pk, owner=owner_of(request))
    Webhook.objects.filter(pk=hook.pk).update(is_active=False)
    messages.success(request, "The webhook is removed; nothing more is sent to it.")
    return redirect("account")


@for_owners("delivery")
@login_required
@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a delivery again."""
    found = get_object_or_404(Delivery.objects.select_related("webhook"), pk=pk, webhook__owner=owner_of(request))
    if found.webhook.is_active and replay(found, timezone.now()):
        messages.success(request, "It is sent again within seconds.")
    else:
        messages.error(request, "It is still being tried, or its webhook was removed.")
    return redirect("webhook", pk=found.webhook_id)
