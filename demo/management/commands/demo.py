"""`manage.py demo`: the whole course, from sign-up to portfolio, ending on a living site."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from demo.tournaments import ROUNDS, prepare
from regatta.accounts.models import User
from regatta.management import arguments
from regatta.rounds.models import Round, Tournament
from regatta.supervisor import Child, Supervisor, SupervisorFault
from tournament.errors import BadInput

SEEN_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
Answer = TypeVar("Answer")
PASSWORD = "fair-winds-and-following-seas"
"""Of every contributor of the demonstration."""
ADMIN = ("harbourmaster", "harbour-lights-at-dusk")


class Command(BaseCommand):
    """Brings both tournaments through their rounds by the code that serves live ones."""

    help = "Run the demonstration and serve the site. Example: manage.py demo --exit --market prices.parquet"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which prices, how many rounds, and whether to stay."""
        parser.add_argument("--market", type=Path, help="a price panel (Parquet or CSV) in place of the bundled one")
        parser.add_argument("--exit", action="store_true", help="stop when the course is run")
        parser.add_argument("--rounds", type=arguments.count, help="rounds of each tournament (default: 207 and 126)")
        parser.add_argument("--port", type=arguments.port, default=8000)
        parser.add_argument("--pace", type=float, default=300.0, help="seconds a round while serving (default: 300)")
        parser.add_argument("--id-key", default="", help="fix the assets' ids, to compare two runs (default: secret)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start everything, sail, then serve."""
        start = time.monotonic()
        rounds = {name: options["rounds"] or count for name, count in ROUNDS.items()}
        try:
            with Supervisor(port=options["port"]) as site:
                site.children.append(_fleet(site))  # they sign up while the data is made
                site.wait_until_ready()
                market, key = options["market"], options["id_key"]
                tournaments = _steadily(site, lambda: prepare(market, rounds=rounds, id_key=key))
                rounds = {one.slug: min(rounds[one.slug], one.rounds.count()) for one in tournaments}
                self._sail(site, tournaments, rounds)
                sailed_at = time.monotonic()
                _steadily(site, lambda: self._tell(site, tournaments, sailed_at - start))
                if not options["exit"]:
                    site.children += _drift(tournaments, rounds, options["pace"])
                    site.run()
        except (SupervisorFault, BadInput, ImproperlyConfigured) as fault:
            raise CommandError(str(fault)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped on request; run it again to go on from here", returncode=130) from None

    def _sail(self, site: Supervisor, tournaments: list[Tournament], rounds: dict[str, int]) -> None:
        """Run replays as children of the site, under progress bars."""
        if _steadily(site, lambda: all(_opened(one) >= rounds[one.slug] for one in tournaments)):
            return
        replays = [_replay(t, rounds[t.slug], "replay") for t in tournaments]
        site.children += replays
        columns = (TextColumn("{task.description:16}"), BarColumn(), TextColumn("{task.completed}/{task.total} rounds"))
        console = Console(file=sys.stderr)
        bars = Progress(*columns, TimeElapsedColumn(), console=console, disable=not sys.stderr.isatty())
        with bars:
            tasks = [(bars.add_task(t.name, total=rounds[t.slug]), t) for t in tournaments]
            while not all(replay.done for replay in replays):
                site.watch()
                if any(replay.failures > 5 for replay in replays):
                    raise SupervisorFault("a replay fails again and again; see var/log/replay-*.log")
                for task, tournament in tasks:
                    bars.update(task, completed=_steadily(site, lambda one=tournament: _opened(one)))
                time.sleep(SEEN_SECONDS)

    def _tell(self, site: Supervisor, tournaments: list[Tournament], seconds: float) -> None:
        """Say what was done and how to log in."""
        if not User.objects.filter(username=ADMIN[0]).exists():
            User.objects.create_superuser(ADMIN[0], "harbourmaster@example.org", ADMIN[1])
        for tournament in tournaments:
            resolved = tournament.rounds.filter(status=Round.Status.RESOLVED).count()
            self.stdout.write(f"{tournament.name}: {resolved} rounds resolved, {tournament.models.count()} models")
        self.stdout.write(f"The course took {seconds:.0f} s.")
        self.stdout.write(
            f"Site: {site.address}   admin: {ADMIN[0]} / {ADMIN[1]}   "
            f"contributors: amara, bjorn, chiara ... / {PASSWORD}"
        )
        self.stdout.flush()  # the site is served from now on: whoever reads it through a pipe waits for it


def _steadily(site: Supervisor, ask: Callable[[], Answer]) -> Answer:
    """Ask the database, through its restart if it was killed meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            site.watch()
            time.sleep(SEEN_SECONDS)


def _fleet(site: Supervisor) -> Child:
    """The contributors, all in one process."""
    fleet = [sys.executable, "-m", "contributors.fleet", "--url", site.address, "--password", PASSWORD]
    return Child("fleet", fleet + [word for slug in ROUNDS for word in ("--tournament", slug)])


def _replay(tournament: Tournament, through: int, name: str, *more: str) -> Child:
    """Whoever drives a tournament's clock."""
    command = [sys.executable, "manage.py", "replay", tournament.slug, "--through", str(through), *more]
    return Child(f"{name}-{tournament.slug}", command, once=True)


def _drift(tournaments: list[Tournament], rounds: dict[str, int], pace: float) -> list[Child]:
    """Whoever sails on slowly while the site is served; the fleet goes on answering."""
    return [_replay(t, rounds[t.slug], "wind", "--pace", str(pace)) for t in tournaments]


def _opened(tournament: Tournament) -> int:
    return tournament.rounds.exclude(status=Round.Status.SCHEDULED).count()
