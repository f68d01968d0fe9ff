"""What every page knows: the tournaments, the one that is meant, the menu, and the next close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from regatta.accounts.models import User
from regatta.notifications.models import unread
from regatta.rounds.models import Round, Tournament
from regatta.security import address_is_kept

TOURNAMENTS, CHOSEN = "regatta.tournaments", "regatta.chosen"
"""Where a request keeps what one query found."""


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the menu."""

    name: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Deadline:
    """The close of an open round; `is_live` when the tournament runs by the wall clock and not by a replay's."""

    round: Round
    left: timedelta
    is_live: bool

    @property
    def words(self) -> str:
        """What is left, for readers without script."""
        return duration(self.left)


def site(request: HttpRequest) -> dict[str, Any]:
    """The tournaments of the switcher, the one that is meant, the menu and the next close; nothing for the admin."""
    match = request.resolver_match
    if match is not None and "admin" in match.namespaces:
        return {}
    found = chosen(request)
    return {
        "tournaments": tournaments(request),
        "chosen": found,
        "menu": menu(found, match.url_name if match else None),
        "deadline": deadline(found) if found else None,
        "unread": unread_of(request),
    }


def unread_of(request: HttpRequest) -> int:
    """Unread notices of who is signed in; a request refused for its cookies is nobody's, and is not asked about."""
    user = getattr(request, "user", None) if address_is_kept(request) else None
    return unread(user) if isinstance(user, User) else 0


def tournaments(request: HttpRequest) -> list[Tournament]:
    """All tournaments, asked for once a request."""
    if TOURNAMENTS not in request.META:
        request.META[TOURNAMENTS] = list(Tournament.objects.all())
    found: list[Tournament] = request.META[TOURNAMENTS]
    return found


def choose(request: HttpRequest, tournament: Tournament) -> None:
    """Say which tournament a page is about when its address does not."""
    request.META[CHOSEN] = tournament


def chosen(request: HttpRequest) -> Tournament | None:
    """The tournament of the address or of `?tournament=`, else the first."""
    if CHOSEN in request.META:
        found: Tournament = request.META[CHOSEN]
        return found
    match = request.resolver_match
    slug = (match.kwargs.get("slug") if match else None) or request.GET.get("tournament")
    known = tournaments(request)
    return next((one for one in known if one.slug == slug), None) if slug else next(iter(known), None)


def required(request: HttpRequest) -> Tournament:
    """The chosen tournament. Raises Http404 when there is none."""
    found = chosen(request)
    if found is None:
        raise Http404("there is no such tournament")
    return found


def menu(tournament: Tournament | None, current: str | None) -> list[Place]:
    """The places of the menu; a page that hangs below a place marks that place."""
    places = []
    if tournament is not None:
        within = f"?tournament={tournament.slug}"
        places = [
            ("Data", reverse("data", args=[tournament.slug]), ("data",)),
            ("Rounds", reverse("tournament", args=[tournament.slug]), ("tournament", "round")),
            ("Leaderboard", reverse("leaderboard", args=[tournament.slug]), ("leaderboard", "model")),
            ("Meta-model", reverse("meta_model") + within, ("meta_model",)),
            ("Portfolio", reverse("portfolio") + within, ("portfolio", "portfolio_why", "orders", "order_plan")),
        ]
    places += [("Submit", reverse("submit"), ("submit",)), ("Docs", reverse("docs"), ("docs", "docs_page"))]
    return [Place(name, url, current in pages) for name, url, pages in places]


def deadline(tournament: Tournament) -> Deadline | None:
    """The next close of the tournament's open rounds."""
    open_rounds = tournament.rounds.filter(status=Round.Status.OPEN).defer("context", "stakes", "panel_models")
    found = open_rounds.order_by("closes_at").first()
    return None if found is None else until(found, tournament, tournament.now())


def until(round: Round, tournament: Tournament, now: datetime) -> Deadline:
    """How long an open round stays open, by its tournament's clock."""
    return Deadline(round, max(round.closes_at - now, timedelta(0)), is_live=tournament.clock_at is None)


def duration(left: timedelta) -> str:
    """`1 d 15 h`, `3 h 05 min`, `12 min`."""
    minutes = int(left.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60:02d} min" if hours else f"{minutes} min"
