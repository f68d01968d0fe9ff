"""What people type to sign up and to name a key."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.db import transaction

from regatta.accounts.models import SCOPES, User
from regatta.accounts.sign_up import greet, refuse_reserved


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]
    """A public name, an address and a password twice."""

    email = forms.EmailField()

    class Meta:
        model = User
        fields = ["username", "email"]

    def clean_email(self) -> str:
        """The address in lower case; one account per address."""
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("An account with this address exists already; log in instead.")
        return email

    def clean(self) -> dict[str, Any]:
        """The site's own names are not to be had."""
        data = super().clean() or self.cleaned_data
        refuse_reserved(data.get("username") or "", data.get("email") or "")
        return data

    def save(self, commit: bool = True) -> User:
        """The user with the points that everybody starts with; both or neither."""
        with transaction.atomic():
            user: User = super().save(commit=commit)
            if commit:
                greet(user)
        return user


class KeyForm(forms.Form):
    """A name for the key, and what it may do (by default everything that its owner may)."""

    name = forms.CharField(max_length=60)
    scopes = forms.MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES], required=False)

    def clean_scopes(self) -> list[str]:
        """All scopes when none was ticked."""
        return self.cleaned_data["scopes"] or list(SCOPES)
