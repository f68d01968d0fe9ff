"""A contributor's inbox, and what shall be told in it and by mail."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from regatta.access import for_contributors
from regatta.notifications.models import Event, Notice, Preference, Way
from regatta.pages.account import owner_of

SHOWN = 100


@for_contributors()
@never_cache
@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The newest notices, and a choice for each event."""
    owner = owner_of(request)
    wanted = Preference.of(owner)
    context = {
        "notices": list(Notice.objects.filter(owner=owner).select_related("mail")[:SHOWN]), "shown": SHOWN,
        "choices": [(event, wanted[event]) for event in Event], "ways": list(Way),
    }  # fmt: skip
    return render(request, "pages/inbox.html", context)


@for_contributors()
@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark what was there when the page was made as read; what has come since stays unread."""
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdecimal() and len(newest) < 19:
        unread = Notice.objects.filter(owner=owner_of(request), read_at=None, pk__lte=int(newest))
        unread.update(read_at=timezone.now())
    return redirect("inbox")


@for_contributors()
@login_required
@require_POST
def choose_ways(request: HttpRequest) -> HttpResponse:
    """Keep what the contributor chose for each event; what is no choice changes nothing."""
    owner = owner_of(request)
    for event in Event:
        if (way := request.POST.get(event.value)) in Way.values:
            Preference.objects.update_or_create(owner=owner, event=event, defaults={"way": way})
    messages.success(request, "Kept. It counts from the next round on.")
    return redirect("inbox")
