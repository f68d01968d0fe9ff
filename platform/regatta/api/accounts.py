"""Sign up and take a key."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.http import HttpRequest, JsonResponse

from regatta.accounts.forms import KeyForm
from regatta.accounts.models import SCOPES, ApiKey, User
from regatta.accounts.sign_up import NameTaken, open_account
from regatta.api.envelope import Refusal, body, endpoint


@endpoint("POST")
def sign_up(request: HttpRequest) -> JsonResponse:
    """Open an account."""
    data = body(request, "username", "email", "password")
    try:
        user = open_account(data["username"], data["email"], data["password"])
    except NameTaken as taken:
        raise Refusal(409, "name_taken", str(taken), "choose another name or log in") from None
    return JsonResponse({"username": user.username}, status=201)


@endpoint("POST")
def issue_key(request: HttpRequest) -> JsonResponse:
    """Make an API key with name and password; the secret is shown this once."""
    data = body(request, "username", "password")
    user = authenticate(request, username=data["username"], password=data["password"])
    if not isinstance(user, User):
        raise Refusal(401, "wrong_password", "user name and password do not match")
    form = KeyForm({"name": data.get("name") or "api", "scopes": data.get("scopes") or []})
    if not form.is_valid():
        field, (fault, *_) = next(iter(form.errors.items()))
        raise Refusal(
            422, f"bad_{field}", f"{field}: {fault}", f"name: at most 60 letters; scopes: {', '.join(SCOPES)}"
        )
    key, secret = ApiKey.issue(user, form.cleaned_data["name"], tuple(form.cleaned_data["scopes"]))
    return JsonResponse({"public_id": key.public_id, "secret": secret, "scopes": key.scopes}, status=201)
