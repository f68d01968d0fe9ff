"""New prices for a tournament that is under way: what is known stays, and rounds are laid out on the new days."""

from __future__ import annotations

from django.db import transaction

from regatta import artifacts
from regatta.rounds.due import BUSY, alone
from regatta.rounds.models import DatasetFile, Round, Tournament
from regatta.rounds.prices import PRICES, all_prices, pack, row_of
from regatta.rounds.publish import lay_out
from tournament.errors import BadInput, BadPanel, Fault
from tournament.markets import dataset as datasets
from tournament.markets.extension import extended
from tournament.markets.panel import PricePanel
from tournament.markets.quality import inspect


def append_prices(tournament: Tournament, newer: PricePanel) -> tuple[int, int]:
    """Append the days that follow; how many days and rounds came. Writes all or nothing.

    Raises BadInput when the tournament has no prices of its own (it came as an archive), when its rounds are being
    moved right now, or when the newer prices are refused.
    """
    if not DatasetFile.objects.filter(dataset__tournament=tournament, name=PRICES).exists():
        raise BadInput(Fault("no_prices", f"{tournament} was imported without prices", "only published ones go on"))
    with alone(tournament) as is_alone:
        if not is_alone:
            raise BadInput(BUSY)
        known = all_prices(tournament)
        panel = extended(known, newer)
        refusals = inspect(panel, tournament.parsed_rules()).refusals
        if refusals:
            raise BadPanel([Fault(one.code, one.message, "mend the prices", one.places[:3]) for one in refusals])
        return len(panel.dates_D) - len(known.dates_D), _keep(tournament, panel)


@transaction.atomic
def _keep(tournament: Tournament, panel: PricePanel) -> int:
    data = pack(panel)
    newest = DatasetFile.objects.filter(dataset__tournament=tournament, name=PRICES).order_by("-dataset_id")[0]
    newest.sha256, newest.size, newest.rows = artifacts.put(data), len(data), panel.close_DN.size
    newest.save()
    rules, last = tournament.parsed_rules(), tournament.rounds.order_by("number").last()
    rows = datasets.era_rows(panel, rules)
    first = 0 if last is None else int((rows == row_of(panel, last.as_of)).argmax()) - (last.number - 1)
    planned = {round.number: round for round in lay_out(tournament, panel, rows, first, rules)}
    _correct(tournament, planned)
    fresh = [round for number, round in planned.items() if last is None or number > last.number]
    return len(Round.objects.bulk_create(fresh))


def _correct(tournament: Tournament, planned: dict[int, Round]) -> None:
    """Days that were counted on the business-day calendar are now known: rounds resolve on the market's own."""
    waiting = list(tournament.rounds.exclude(status=Round.Status.RESOLVED))
    for round in waiting:
        round.resolves_at = planned[round.number].resolves_at
    Round.objects.bulk_update(waiting, ["resolves_at"])
