"""Contributors and their API keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

SCOPES = ("read", "submit", "manage")


class User(AbstractUser):
    """A contributor, reader or admin; the username is the public name."""

    email = models.EmailField(unique=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("username"), name="username_once_in_any_case",
                violation_error_message="A user with that username already exists.",
            )
        ]  # fmt: skip


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys in bulk."""

    def usable(self, now: datetime) -> ApiKeyQuerySet:
        """Keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """A public id and a secret; only the secret's hash is kept.

    The secret is 256 random bits, so one SHA-256 is enough: there is no dictionary to try.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    public_id = models.CharField(max_length=32, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @classmethod
    def issue(cls, owner: User, name: str, scopes: tuple[str, ...] = SCOPES) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned once and cannot be read again."""
        secret = secrets.token_urlsafe(32)
        public_id = "RG" + secrets.token_hex(8).upper()
        key = cls.objects.create(
            owner=owner, name=name, public_id=public_id, secret_hash=_hash(secret), scopes=list(scopes)
        )
        return key, secret

    def matches(self, secret: str) -> bool:
        """Whether this is the key's secret, in time that does not depend on where it differs."""
        return hmac.compare_digest(self.secret_hash, _hash(secret))

    def allows(self, scope: str) -> bool:
        """Whether the key may be used for `scope`."""
        return scope in self.scopes

    def revoke(self, now: datetime) -> None:
        """Make the key useless from now on."""
        ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now)


def authenticate_token(token: str, now: datetime) -> ApiKey | None:
    """The usable key of `public_id$secret`, or None."""
    public_id, _, secret = token.partition("$")
    key = ApiKey.objects.usable(now).select_related("owner").filter(public_id=public_id, owner__is_active=True).first()
    return key if key is not None and key.matches(secret) else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
