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

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
