"""Whether the servers that the environment names answer; asked at start, so that each refusal names its variable."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError

from regatta import artifacts, health
from regatta.environment import BROKER_EXAMPLE, DATABASE_EXAMPLE, STORAGE_EXAMPLE, Problem


def unreachable() -> list[Problem]:
    """A problem for each server of one's own that does not answer; embedded ones are started, not asked."""
    asked: list[tuple[bool, str, str, Callable[[], None], str]] = [
        (settings.EMBEDDED_DATABASE, "E001", "DATABASE_URL", health.check_database, DATABASE_EXAMPLE),
        (settings.EMBEDDED_REDIS, "E002", settings.BROKER_NAME, health.check_broker, BROKER_EXAMPLE),
        (not settings.STORAGE_URL.startswith("s3:"), "E003", "STORAGE_URL", artifacts.check, STORAGE_EXAMPLE),
    ]
    found = ((number, name, _trouble(check), example) for ours, number, name, check, example in asked if not ours)
    return [
        Problem(f"regatta.{number}", name, f"the address of a server that does not answer: {trouble}", example)
        for number, name, trouble, example in found
        if trouble
    ]


def _trouble(check: Callable[[], None]) -> str:
    """The first line of what a server's client says; empty when all is well."""
    from kombu.exceptions import OperationalError

    try:
        check()
    except (DatabaseError, OperationalError, OSError, RuntimeError) as error:
        return (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ""
