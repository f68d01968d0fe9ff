"""What the offline commands have in common: no database, one clear message, progress only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from regatta.management.arguments import seed
from tournament.errors import BadInput, RegattaError

BAD_INPUT = 2
"""Exit status when the input is refused."""


class OfflineCommand(BaseCommand):
    """A command on files alone. Subclasses give `about`, `example`, `arguments` and `run`."""

    requires_system_checks: list[str] = []
    about = ""
    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Show what the command does and one example."""
        self.help = f"{self.about} Example: python manage.py {subcommand} {self.example}"
        return super().create_parser(prog_name, subcommand, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        """The command's own arguments, and the seed that all of them take."""
        self.arguments(parser)
        parser.add_argument("--seed", type=seed, default=0, help="seed of everything drawn at random (default: 0)")

    def arguments(self, parser: CommandParser) -> None:
        """Declare what the command takes."""
        raise NotImplementedError

    def run(self, **options: Any) -> None:
        """Do the work. May raise BadInput."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; a refused input ends with status 2 and its faults."""
        try:
            self.run(**options)
        except (RegattaError, OSError) as fault:
            raise CommandError(_message(fault), returncode=BAD_INPUT) from None

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Any]:
        """A function that moves a progress bar one step on; silent unless stderr is a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(what, total=total)
            yield lambda step: bar.advance(task)


def _message(fault: Exception) -> str:
    """All faults of an input under one heading."""
    if not isinstance(fault, BadInput) or len(fault.faults) == 1:
        return str(fault)
    return f"{len(fault.faults)} faults:\n" + "\n".join(f"  - {one}" for one in fault.faults)
