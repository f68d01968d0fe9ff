"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from regatta.rounds.models import Tournament


def site(request: HttpRequest) -> dict[str, Any]:
    """The tournaments of the switcher and the one that is meant."""
    return {"tournaments": Tournament.objects.all(), "chosen": chosen(request)}


def chosen(request: HttpRequest) -> Tournament | None:
    """The tournament of the address or of `?tournament=`, else the first."""
    match = request.resolver_match
    slug = (match.kwargs.get("slug") if match else None) or request.GET.get("tournament")
    if slug:
        return Tournament.objects.filter(slug=slug).first()
    return Tournament.objects.first()


def required(request: HttpRequest) -> Tournament:
    """The chosen tournament. Raises Http404 when there is none."""
    found = chosen(request)
    return get_object_or_404(Tournament, pk=found.pk if found else 0)
