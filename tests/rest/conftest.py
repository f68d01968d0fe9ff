"""The planted site, made once for a file of tests and swept away after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from tests.rest.planted import Sea, plant


@pytest.fixture(scope="module")
def sea(django_db_setup: None, django_db_blocker: Any) -> Iterator[Sea]:
    """Six rounds sailed, the seventh open; things of two contributors."""
    with django_db_blocker.unblock():
        yield plant()
        call_command("flush", interactive=False, verbosity=0)
