"""Open an account: the user, and the points everybody starts with."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from regatta.accounts.models import User
from regatta.stakes.ledger import welcome
from tournament.rules import Rules

RESERVED = frozenset({"regatta", "admin", "administrator", "root", "staff", "support", "system", "platform"})
"""Names that only the site itself may bear, in any case."""
RESERVED_DOMAIN = "@localhost.localdomain"


class NameTaken(Exception):
    """The user name or the address belongs to somebody."""


def open_account(username: str, email: str, password: str) -> User:
    """Make the user and give the first points. Raises ValidationError or NameTaken; makes both or nothing."""
    user = User(username=User.normalize_username(username), email=email.strip().lower())
    faults = []
    for check in (
        lambda: user.clean_fields(exclude=["password"]),
        lambda: refuse_reserved(user.username, user.email),
        lambda: validate_password(password, user),
    ):
        try:
            check()
        except ValidationError as fault:
            faults += fault.messages
    if faults:
        raise ValidationError(faults)
    taken = NameTaken(f"the name {username!r} or its address is taken")
    if User.objects.filter(Q(username__iexact=user.username) | Q(email=user.email)).exists():
        raise taken  # before the hash, which is meant to be slow
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            greet(user)
    except IntegrityError:
        raise taken from None
    return user


def refuse_reserved(username: str, email: str) -> None:
    """Keep the site's own names for the site. Raises ValidationError."""
    if username.lower() in RESERVED or email.endswith(RESERVED_DOMAIN):
        raise ValidationError("This name or address is kept for the site itself; choose another.")


def greet(user: User) -> None:
    """Give a new contributor the points that everybody starts with; once."""
    welcome(user.pk, Decimal(str(Rules().starting_points)), now=timezone.now())
