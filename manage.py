#!/usr/bin/env python
"""Regatta's command line. Offline commands need no database; see `manage.py help`."""

import os
import sys
from pathlib import Path

# `platform/` is a source root, never a package: a package of that name would shadow the standard library's.
sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regatta.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, connection

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if connection.connection is not None:
            raise
        sys.exit(f"the database does not answer: {str(error).splitlines()[0]}; see DATABASE_URL in docs/operations.md")


if __name__ == "__main__":
    main()
