"""Which tournament of this site the client means by its fixed numbers: 8 Classic, 11 Signals, 12 Crypto."""

from __future__ import annotations

from django.conf import settings

from regatta.api.envelope import Refusal
from regatta.rounds.models import Tournament

CLASSIC, SIGNALS, CRYPTO = 8, 11, 12
NUMBERS = (CLASSIC, SIGNALS, CRYPTO)


def mapped() -> dict[int, Tournament]:
    """Tournament by the client's number, as REGATTA_NUMERAPI says; unset, the oldest tournaments in their order."""
    if not settings.REGATTA_NUMERAPI:
        return dict(zip(NUMBERS, Tournament.objects.order_by("pk")[: len(NUMBERS)], strict=False))
    by_slug = {found.slug: found for found in Tournament.objects.filter(slug__in=settings.REGATTA_NUMERAPI.values())}
    return {number: by_slug[slug] for number, slug in settings.REGATTA_NUMERAPI.items() if slug in by_slug}


def tournament_of(number: int | None) -> Tournament:
    """The tournament of a number; Classic without one. Raises Refusal that says what is mapped."""
    known = mapped()
    found = known.get(CLASSIC if number is None else number)
    if found is None:
        listed = ", ".join(f"{key} is {one.slug}" for key, one in known.items()) or "none is"
        message = f"tournament {number or CLASSIC} stands for none of this site"
        raise Refusal(404, "no_tournament", message, f"{listed}; set REGATTA_NUMERAPI")
    return found


def number_of(tournament: Tournament) -> int | None:
    """The number by which the client knows a tournament; None when it knows it by none."""
    return next((number for number, one in mapped().items() if one.pk == tournament.pk), None)
