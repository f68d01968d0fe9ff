"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from regatta.rounds.models import Tournament


def site(request: HttpRequest) -> dict[str, Any]:
    """The tournaments of the switcher."""
    return {"tournaments": Tournament.objects.all()}
