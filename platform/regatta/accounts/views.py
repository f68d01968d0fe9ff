"""Sign up, make and revoke API keys."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from regatta.access import for_contributors, for_owners, open_to_all
from regatta.accounts.forms import KeyForm, SignUpForm
from regatta.accounts.models import ApiKey, User

NEW_SECRET = "new_key_secret"


@open_to_all()
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A form; a right one makes the account and logs in."""
    if request.user.is_authenticated:
        return redirect("account")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        return redirect("account")
    return render(request, "accounts/signup.html", {"form": form}, status=422 if form.errors else 200)


@for_contributors()
@login_required
@require_POST
def create_key(request: HttpRequest) -> HttpResponse:
    """Issue a key; its secret waits in the session for the one page that shows it."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the key a name of at most 60 characters.")
        return redirect("account")
    owner = User.objects.get(username=request.user.get_username())
    key, secret = ApiKey.issue(owner, form.cleaned_data["name"], tuple(form.cleaned_data["scopes"]))
    request.session[NEW_SECRET] = {"name": key.name, "token": f"{key.public_id}${secret}"}
    return redirect("account")


@for_owners("key")
@login_required
@require_POST
def revoke_key(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make one's own key useless; somebody else's is not found."""
    key = get_object_or_404(ApiKey, public_id=public_id, owner_id=request.user.pk)
    key.revoke(timezone.now())
    messages.success(request, f"The key {key.name} is revoked.")
    return redirect("account")
