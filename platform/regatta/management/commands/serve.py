"""`manage.py serve`: the whole site on this machine."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from regatta.management.arguments import count, port
from regatta.supervisor import Supervisor, SupervisorFault


class Command(BaseCommand):
    """Starts everything and stays until Ctrl-C."""

    help = (
        "Serve the site: embedded PostgreSQL and Redis (unless DATABASE_URL, REDIS_URL are set), migrations, web, "
        "workers and schedule. Example: manage.py serve --port 8080"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and with how many threads."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=port, default=8000)
        parser.add_argument("--threads", type=count, default=6, help="threads of the web server (default 6)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        try:
            with Supervisor(host=options["host"], port=options["port"], threads=options["threads"]) as site:
                site.wait_until_ready()
                self.stdout.write(f"Serving on {site.address} (Ctrl-C stops)")
                self.stdout.flush()  # whoever reads it through a pipe waits for it
                site.run()
        except (SupervisorFault, ImproperlyConfigured) as fault:
            raise CommandError(str(fault)) from None
