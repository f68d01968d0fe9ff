"""A tournament that gets its prices piece by piece sails as one that had them all from the start."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from regatta.rounds.extension import append_prices
from regatta.rounds.models import Round, Tournament
from regatta.rounds.prices import all_prices
from tests.flows import seas
from tests.flows.test_point_in_time import everything
from tournament.errors import BadPanel
from tournament.markets.panel import PricePanel

pytestmark = pytest.mark.django_db

HELD_BACK = 90
THROUGH, MORE = 5, 9


def whole() -> PricePanel:
    return seas.prices()


def early() -> PricePanel:
    return whole().rows(slice(0, len(whole().dates_D) - HELD_BACK))


def rounds_of(panel: PricePanel) -> int:
    """As many rounds as begin where those of the whole panel do."""
    return seas.ROUNDS - (len(whole().dates_D) - len(panel.dates_D)) // 5


def test_prices_that_come_later_are_as_good_as_prices_from_the_start() -> None:
    with transaction.atomic():
        tournament = seas.make(rounds=seas.ROUNDS)
        seas.sail(tournament, seas.ROUNDS - MORE)
        expected = everything()
        transaction.set_rollback(True)

    tournament = seas.make(early(), rounds=rounds_of(early()))
    seas.sail(tournament, THROUGH)
    append_prices(tournament, whole())
    seas.sail(tournament, seas.ROUNDS - MORE)

    found = everything()
    for name in ("scores", "weights", "books", "values", "points", "rounds"):
        assert expected[name], f"{name} is empty: nothing was compared"
        assert found[name] == expected[name], name


def test_what_is_known_stays_to_the_bit_and_rescaled_prices_are_met() -> None:
    tournament = seas.make(early(), rounds=rounds_of(early()))
    rescaled = replace(whole(), close_DN=whole().close_DN * np.linspace(0.5, 2.0, len(whole().ids)))

    append_prices(tournament, rescaled)

    kept = all_prices(tournament)
    days = len(early().dates_D)
    assert np.array_equal(kept.close_DN[:days], early().close_DN, equal_nan=True)
    assert np.allclose(kept.close_DN, whole().close_DN, rtol=1e-12, equal_nan=True)


def test_an_asset_that_was_unknown_enters_without_a_history() -> None:
    ours = early()
    kept = [column for column in range(len(ours.ids)) if column != 3]
    fewer = replace(
        ours, ids=tuple(ours.ids[j] for j in kept), close_DN=ours.close_DN[:, kept],
        sectors=None if ours.sectors is None else tuple(ours.sectors[j] for j in kept),
        volume_DN=None if ours.volume_DN is None else ours.volume_DN[:, kept],
        open_DN=None, high_DN=None, low_DN=None,
    )  # fmt: skip
    tournament = seas.make(fewer, rounds=rounds_of(fewer))

    append_prices(tournament, whole())

    panel = all_prices(tournament)
    column = panel.ids.index(ours.ids[3])
    assert np.isnan(panel.close_DN[: len(ours.dates_D), column]).all()


BAD = {
    "no_overlap": lambda panel: panel.rows(slice(len(panel.dates_D) - HELD_BACK + 1, None)),
    "nothing_new": lambda panel: panel.rows(slice(0, len(panel.dates_D) - HELD_BACK)),
    "missing_column": lambda panel: replace(panel, volume_DN=None),
    "history_changed": lambda panel: replace(panel, close_DN=panel.close_DN + np.arange(len(panel.dates_D))[:, None]),
    "calendar": lambda panel: replace(
        panel,
        **{
            name: np.delete(value, -HELD_BACK - 3, axis=0)
            for name in ("dates_D", "close_DN", "open_DN", "high_DN", "low_DN", "volume_DN")
            if (value := getattr(panel, name)) is not None
        },
    ),
}


@pytest.mark.parametrize("code", BAD)
def test_prices_that_do_not_follow_are_refused_and_nothing_changes(code: str) -> None:
    tournament = seas.make(early(), rounds=rounds_of(early()))
    before = (Round.objects.count(), len(all_prices(tournament).dates_D))

    with pytest.raises(BadPanel) as refusal:
        append_prices(tournament, BAD[code](whole()))

    assert [fault.code for fault in refusal.value.faults] == [code]
    assert (Round.objects.count(), len(all_prices(tournament).dates_D)) == before


def long_table(panel: PricePanel) -> pd.DataFrame:
    rows, columns = np.nonzero(np.isfinite(panel.close_DN))
    return pd.DataFrame(
        {
            "date": panel.dates_D[rows], "id": np.array(panel.ids)[columns], "close": panel.close_DN[rows, columns],
            **({} if panel.volume_DN is None else {"dollar_volume": panel.volume_DN[rows, columns]}),
            **({} if panel.sectors is None else {"sector": np.array(panel.sectors)[columns]}),
            **{name: value[rows, columns] for name in ("open", "high", "low")
               if (value := getattr(panel, f"{name}_DN")) is not None},
        }
    )  # fmt: skip


def test_the_command_appends_once_and_says_what_came(tmp_path: Path) -> None:
    seas.make(early(), rounds=rounds_of(early()))
    path, said = tmp_path / "newer.parquet", StringIO()
    long_table(whole().rows(slice(len(early().dates_D) - 30, None))).to_parquet(path)

    call_command("append_prices", "seas", str(path), stdout=said)

    assert said.getvalue() == f"seas: {HELD_BACK} days and {HELD_BACK // 5} rounds more\n"
    assert Tournament.objects.get().rounds.count() == seas.ROUNDS
    with pytest.raises(CommandError, match="no day after"):
        call_command("append_prices", "seas", str(path))
    with pytest.raises(CommandError, match="known: seas"):
        call_command("append_prices", "lakes", str(path))
