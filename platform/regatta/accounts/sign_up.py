"""Open an account: the user, and the points everybody starts with."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from regatta.accounts.models import User
from regatta.stakes.ledger import welcome
from tournament.rules import Rules


class NameTaken(Exception):
    """The user name or the address belongs to somebody."""


def open_account(username: str, email: str, password: str) -> User:
    """Make the user and give the first points. Raises ValidationError or NameTaken; makes both or nothing."""
    user = User(username=username, email=email.strip().lower())
    faults = []
    for check in (
        lambda: user.username_validator(username),
        lambda: validate_email(email),
        lambda: validate_password(password, user),
    ):
        try:
            check()
        except ValidationError as fault:
            faults += fault.messages
    if faults:
        raise ValidationError(faults)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            greet(user)
    except IntegrityError:
        raise NameTaken(f"the name {username!r} or its address is taken") from None
    return user


def greet(user: User) -> None:
    """Give a new contributor the points that everybody starts with; once."""
    welcome(user.pk, Decimal(str(Rules().starting_points)), now=timezone.now())
