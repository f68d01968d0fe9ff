"""Accounts and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query
from pydantic import Field

from regatta.access import for_contributors, for_owners, open_to_all
from regatta.accounts.forms import KeyForm
from regatta.accounts.models import SCOPES, ApiKey, User
from regatta.accounts.sign_up import NameTaken, open_account
from regatta.api.envelope import Refusal
from regatta.api.guard import Takes, contributor
from regatta.api.v1.finding import the
from regatta.api.v1.paging import Page, Paging, page
from regatta.api.v1.rooms import Asked, Room, Told

room = Room("accounts")
LONG = 6000
"""No name or address is as long; what is between is refused with better words than the length's."""
HASH_COST = 10
"""A password's hash takes as long as many other requests, and guessing must not be quick."""
KEY = ("name", "public_id", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")


class NewAccount(Asked):
    """Who signs up."""

    username: str = Field(max_length=LONG)
    email: str = Field(max_length=LONG)
    password: str = Field(max_length=LONG)


class AccountName(Told):
    """Who signed up."""

    username: str


class NewKey(Asked):
    """Whose key, and what it may do: all where no scopes are named."""

    username: str = Field(max_length=LONG)
    password: str = Field(max_length=LONG)
    name: str = Field("", max_length=LONG)
    scopes: list[str] = Field([], max_length=20)


class Secret(Told):
    """A key with its secret."""

    public_id: str
    secret: str
    scopes: list[str]


class KeyAnswer(Told):
    """A key as its owner sees it."""

    name: str
    public_id: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class AccountAnswer(Told):
    """Who you are, and what this key may do."""

    username: str
    email: str
    is_staff: bool
    scopes: list[str]
    joined_at: datetime


@room.post("/accounts/", AccountName, takes=Takes.JSON, cost=HASH_COST)
@open_to_all(reads_key=False)
def sign_up(request: HttpRequest, data: NewAccount) -> dict[str, str]:
    """Open an account."""
    try:
        user = open_account(data.username, data.email, data.password)
    except NameTaken as taken:
        raise Refusal(409, "name_taken", str(taken), "choose another name or log in") from None
    return {"username": user.username}


@room.post("/keys/", Secret, takes=Takes.JSON, cost=HASH_COST, is_secret=True)
@open_to_all(reads_key=False)
def issue_key(request: HttpRequest, data: NewKey) -> dict[str, Any]:
    """Make an API key with name and password; the secret is shown this once."""
    user = authenticate(request, username=data.username, password=data.password)
    if not isinstance(user, User):
        raise Refusal(401, "wrong_password", "user name and password do not match")
    form = KeyForm({"name": data.name or "api", "scopes": data.scopes})
    if not form.is_valid():
        field, (fault, *_) = next(iter(form.errors.items()))
        raise Refusal(
            422, f"bad_{field}", f"{field}: {fault}", f"name: at most 60 letters; scopes: {', '.join(SCOPES)}"
        )
    key, secret = ApiKey.issue(user, form.cleaned_data["name"], tuple(form.cleaned_data["scopes"]))
    return {"public_id": key.public_id, "secret": secret, "scopes": key.scopes}


@room.get("/account/", AccountAnswer)
@for_contributors(scope="read")
def account(request: HttpRequest) -> dict[str, Any]:
    """Who you are, and what this key may do."""
    who, key = contributor(request), request.api_key  # type: ignore[attr-defined]
    told = {"username": who.username, "email": who.email, "is_staff": who.is_staff, "joined_at": who.date_joined}
    return told | {"scopes": key.scopes}


@room.get("/keys/", Page[KeyAnswer])
@for_contributors(scope="read")
def keys(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Your keys, the newest first; never their secrets."""
    return page(request, ApiKey.objects.filter(owner=contributor(request)), paging, _key, newest_first=True)


@room.delete("/keys/{str:public_id}/", KeyAnswer)
@for_owners("key", scope="manage")
def revoke(request: HttpRequest, public_id: str) -> dict[str, Any]:
    """Make a key useless from now on."""
    key = the(ApiKey.objects.all(), "key", owner=contributor(request), public_id=public_id)
    key.revoke(timezone.now())
    key.refresh_from_db()
    return _key(key)


def _key(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in KEY}
