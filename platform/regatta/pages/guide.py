"""The docs: how to take part, how scores and weights come about, and the API; addresses in them are this site's."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.api.v1.catalogue import chapters
from regatta.pages.context import chosen
from tournament.rules import Rules

PAGES = {
    "start": "Take part in ten minutes",
    "client": "The client kit",
    "files": "Files and faults",
    "hosted": "Hosted models",
    "scoring": "How scores are computed",
    "selectors": "How weights come about",
    "points": "Points and stakes",
    "api": "The API",
}


@open_to_all()
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where old browsers look for the mark."""
    return redirect(static("regatta/mark.svg"))


@open_to_all()
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may read: pages, not what belongs to accounts or machines."""
    closed = "".join(f"Disallow: {path}\n" for path in ("/accounts/", "/admin/", "/api/", "/submit/"))
    return HttpResponse(f"User-agent: *\n{closed}", content_type="text/plain")


@open_to_all(of="docs page")
@require_safe
def docs(request: HttpRequest, page: str = "start") -> HttpResponse:
    """One page of the docs. Raises Http404."""
    if page not in PAGES:
        raise Http404(f"there is no page {page!r} in the docs")
    found = chosen(request)
    context = {
        "page": page, "heading": PAGES[page], "pages": PAGES, "base": request.build_absolute_uri("/").rstrip("/"),
        "slug": found.slug if found else "simulated", "rules": found.parsed_rules() if found else Rules(),
        "chapters": chapters() if page == "api" else (), "key_rate": settings.REGATTA_KEY_RATE,
        "anonymous_rate": settings.REGATTA_ANONYMOUS_RATE,
    }  # fmt: skip
    return render(request, f"docs/{page}.html", context)
