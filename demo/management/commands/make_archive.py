"""`manage.py make_archive`: a tournament archive from real prices, its fleet trained walk-forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandParser

from contributors.long_course import LONG_COURSE
from demo.archives import Course, lay_out, sail
from demo.price_files import membership, read_market, with_sectors
from regatta.management.offline import OfflineCommand
from tournament import reports
from tournament.archive import About, ArchivedRound, write_archive
from tournament.markets.context import CONTEXT_NAMES
from tournament.rules import Rules


class Command(OfflineCommand):
    """Reads prices, fits the fleet again and again on what was resolved, writes the archive."""

    about = "Make a tournament archive of weekly rounds from a price panel; models are refitted as years go by."
    example = "--prices prices.parquet --rounds 420 --retrain-every 52 --out archive"

    def arguments(self, parser: CommandParser) -> None:
        """The prices, who was a member when, and the course."""
        course = Course()
        parser.add_argument("--prices", type=Path, required=True, help="long table of stocks, coins, futures or pairs")
        parser.add_argument(
            "--membership", type=Path, help="id, start_date, end_date: the universe is who was a member"
        )
        parser.add_argument("--sectors", type=Path, help="id, sector: targets are cleaned of sectors")
        parser.add_argument("--rounds", type=int, default=course.rounds, help="weekly rounds, the newest resolved ones")
        parser.add_argument(
            "--retrain-every", type=int, default=course.retrain_every, help="rounds between two fits of the fleet"
        )
        parser.add_argument(
            "--training-eras", type=int, default=course.training_eras, help="newest resolved eras that a fit may use"
        )
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder for the archive")

    def run(self, **options: Any) -> None:
        """Read, lay out, sail, tell."""
        out: Path = options["out"]
        reports.refuse_full(out)
        course = Course(options["rounds"], options["retrain_every"], options["training_eras"], options["seed"])
        rules, panel = Rules(), read_market(options["prices"])
        if options["sectors"] is not None:
            panel = with_sectors(panel, options["sectors"])
        member_DN = None if options["membership"] is None else membership(panel, options["membership"])
        eras = lay_out(panel, rules, course, member_DN)
        name = options["prices"].stem.replace("_", " ")
        about = About(name, rules.horizon_days, "weekly", "target", str(eras.opens_at_E[-1]))
        with self.progress("rounds sailed", course.rounds) as tell:
            rounds = _told(sail(eras, LONG_COURSE, course, rules), tell)
            write_archive(out, about, rounds, context_names=CONTEXT_NAMES)
        assets = eras.universe_EN[-course.rounds :].sum(axis=1)
        self.stdout.write(
            f"{out}: {course.rounds} rounds from {np.datetime_as_string(eras.opens_at_E[-course.rounds], 'D')} "
            f"to {np.datetime_as_string(eras.opens_at_E[-1], 'D')}, {len(LONG_COURSE)} models, "
            f"{assets.min()} to {assets.max()} assets a round, {len(eras.names)} features"
        )


def _told(rounds: Iterator[ArchivedRound], tell: Callable[[int], None]) -> Iterator[ArchivedRound]:
    for one in rounds:
        yield one
        tell(one.number)
