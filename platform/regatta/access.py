"""Who may do what at each address of the site: declared beside the view, kept by it, walked by a test.

    @open_to_all(of="model")
    def model(request, name): ...

`of` is the kind of thing that the address names. A test asks at every address as nobody, as the owner, as somebody
else and as staff, and holds what happens against this; an address without a declaration fails it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.urls import URLPattern, URLResolver, get_resolver

View = TypeVar("View", bound=Callable[..., Any])
MARK = "regatta_access"
ANY = "*"
"""Every method."""


class Who(StrEnum):
    """To whom an address answers."""

    ANYBODY = "anybody"
    CONTRIBUTOR = "contributor"
    """Who is known; of what belongs to people it tells each their own."""
    OWNER = "owner"
    """Whose the thing is that the address names; to everybody else it is not there, staff included."""
    OWNER_OR_STAFF = "owner or staff"
    STAFF = "staff"
    BEARER = "bearer"
    """Who holds the signed address, as long as it is good."""


@dataclass(frozen=True, slots=True)
class Access:
    """What one address asks of who comes."""

    who: Who
    scope: str = ""
    """What an API's key must allow."""
    of: str = ""
    reads_key: bool = True
    """Whether a key that comes along is looked at: a wrong one is refused even where none is needed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the site."""

    pattern: str
    """As Django writes it: `models/<str:name>/`."""
    view: Callable[..., Any]
    access: Mapping[str, Access]
    """By method; `*` stands for all. Empty where nothing was declared."""


def open_to_all(of: str = "", *, reads_key: bool = True) -> Callable[[View], View]:
    """Anybody may ask, with a key or without."""
    return declared(Access(Who.ANYBODY, of=of, reads_key=reads_key))


def for_contributors(scope: str = "", of: str = "") -> Callable[[View], View]:
    """Who is known may ask, with a key that allows the scope, or logged in."""
    return declared(Access(Who.CONTRIBUTOR, scope, of))


def for_owners(of: str, scope: str = "") -> Callable[[View], View]:
    """Whose the thing is may ask; to everybody else it is not there."""
    return declared(Access(Who.OWNER, scope, of))


def for_owners_and_staff(of: str, scope: str = "") -> Callable[[View], View]:
    """Whose the thing is may ask, and staff; to everybody else it is not there."""
    return declared(Access(Who.OWNER_OR_STAFF, scope, of))


def declared(access: Access | Mapping[str, Access]) -> Callable[[View], View]:
    """Write on a view who may ask."""
    by_method = {ANY: access} if isinstance(access, Access) else dict(access)

    def mark(view: View) -> View:
        setattr(view, MARK, by_method)
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Mapping[str, Access]:
    """What was declared, by method; nothing where nobody did."""
    found: Mapping[str, Access] = getattr(view, MARK, {})
    return found


NAMESPACES: Mapping[str, Mapping[str, Access]] = {"admin": {ANY: Access(Who.STAFF)}}
"""What is declared of addresses that other packages bring."""


def routes() -> Iterator[Route]:
    """Every address of the site."""
    yield from _below(get_resolver(), "", {})


def _below(resolver: URLResolver, prefix: str, inherited: Mapping[str, Access]) -> Iterator[Route]:
    inherited = NAMESPACES.get(resolver.namespace or "", inherited)
    for found in resolver.url_patterns:
        place = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _below(found, place, inherited)
        elif isinstance(found, URLPattern):
            yield Route(place, found.callback, access_of(found.callback) or inherited)
