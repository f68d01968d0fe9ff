"""`manage.py import_archive`: an archive folder as a tournament of this site."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.text import slugify

from regatta.accounts.models import User
from regatta.management.offline import OfflineCommand
from regatta.rounds.archives import import_archive
from regatta.submissions.intake import platform_user
from tournament.archive import Archive, read_archive
from tournament.errors import BadInput, Fault


class Command(OfflineCommand):
    """Unlike its neighbours it writes to the site's database; all or nothing."""

    about = "Make a tournament of an archive: its rounds, models, scores and boards."
    example = "archives/simulated --slug old-seas --prefix old_"

    def arguments(self, parser: CommandParser) -> None:
        """Which archive, and what it shall be called."""
        parser.add_argument("archive", type=Path, help="the archive's folder")
        parser.add_argument("--slug", help="the tournament's part of the address (default: made from its name)")
        parser.add_argument("--owner", help="the contributor who shall own the models (default: the platform)")
        parser.add_argument(
            "--prefix", type=_prefix, default="", help="put before every model's name, which is then made to fit"
        )

    def run(self, **options: Any) -> None:
        """Import and say what was made."""
        archive = read_archive(options["archive"])
        try:
            self._import(archive, options)
        except BadInput as refused:
            raise BadInput([_beside_a_prefix(one, options["prefix"]) for one in refused.faults]) from None

    def _import(self, archive: Archive, options: dict[str, Any]) -> None:
        with self.progress("rounds", len(archive)) as step:
            made = import_archive(
                archive, slug=options["slug"] or slugify(archive.about.name)[:50], owner=_owner(options["owner"]),
                now=timezone.now(), prefix=options["prefix"], tell=step,
            )  # fmt: skip
        resolved = made.rounds.resolved().count()
        self.stdout.write(f"{made.slug}: {len(archive)} rounds ({resolved} resolved), {len(archive.models)} models")


def _prefix(text: str) -> str:
    if not re.fullmatch(r"([a-z][a-z0-9_]{0,19})?", text):
        raise ArgumentTypeError(f"{text!r} cannot begin names; give up to 20 small letters, digits, underscores")
    return text


def _beside_a_prefix(fault: Fault, prefix: str) -> Fault:
    """What to do about names that do not fit although a prefix was given."""
    if not prefix or fault.code != "model_name":
        return fault
    return replace(fault, hint=f"give another or a shorter --prefix than {prefix!r}")


def _owner(name: str | None) -> User:
    if name is None:
        return platform_user()
    owner = User.objects.filter(username=name).first()
    if owner is None:
        raise BadInput(Fault("no_owner", f"there is no contributor {name!r}", "name one who has signed up"))
    return owner
