"""After each resolution the monitors' reading is written, from what was known by then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from regatta import artifacts
from regatta.ensemble.models import RoundWeights, SelectorVersion, Watch
from regatta.ensemble.monitoring import reign_of, watch_round
from regatta.rounds.models import Round, Tournament
from tests.flows import seas
from tournament.evaluation.compare import paired
from tournament.evaluation.monitors import drift
from tournament.selectors.protocol import State

LED, LAST = 30, 42
SHOWN = {"fitted": {"mean": 0.3, "error": 0.001, "rounds": 80}, "held out": {"mean": -0.2, "error": 0.01, "rounds": 9}}


@pytest.fixture(scope="module")
def tournament(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """Led by ridge from round 30 on; its version showed large gains on the rounds of its training."""
    with django_db_blocker.unblock():
        yield sailed()
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _rolled_back(tournament: Tournament, db: None) -> None:
    """What a test changes is undone: all share one tournament."""


def sailed() -> Tournament:
    made = seas.make(seas.prices(weeks=60), warmup_rounds=1000)
    seas.sail(made, LED - 1)
    now = made.now()
    SelectorVersion.objects.create(
        tournament=made, family="ridge", status="CHAMPION", created_at=now, promoted_at=now, trained_through=24,
        config={"shown": SHOWN}, state_sha256=artifacts.put(State("ridge").to_bytes()),
    )  # fmt: skip
    seas.sail(made, LAST)
    return made


def series(tournament: Tournament, family: str, **which: object) -> np.ndarray:
    rows = RoundWeights.objects.filter(family=family, corr__isnull=False, **which).order_by("round__number")
    return np.array(rows.values_list("corr", flat=True))


def test_the_champion_is_held_to_its_record_before_it_led(tournament: Tournament) -> None:
    began: datetime = tournament.rounds.get(number=LED - 1).closes_at
    before = series(tournament, "ridge", round__resolved_at__lte=began)
    live = series(tournament, "ridge", round__number__gte=LED)
    found = drift(before, live, overlap=tournament.parsed_rules().overlap_rounds)

    read = Watch.objects.latest("round__number")

    assert (read.family, read.since, read.rounds) == ("ridge", LED, len(live))
    assert len(live) >= 5
    assert (read.expected, read.live) == pytest.approx((before.mean(), live.mean()))
    assert read.fall == pytest.approx(found.fall)
    assert read.has_drifted is found.has_drifted


def test_the_gap_is_what_training_showed_less_what_came_live(tournament: Tournament) -> None:
    overlap = tournament.parsed_rules().overlap_rounds
    ours, equal = (series(tournament, family, round__number__gte=LED) for family in ("ridge", "equal"))
    live = paired(ours, equal, overlap=overlap)

    (gap,) = Watch.objects.latest("round__number").gaps

    assert gap["family"] == "ridge"
    assert gap["shown"] == SHOWN
    assert gap["live"] == {"mean": pytest.approx(live.mean), "error": pytest.approx(live.standard_error), "rounds": 8}
    assert gap["overfitted"] == ["fitted"]


def test_before_a_champion_leads_there_is_nothing_to_hold_it_to(tournament: Tournament) -> None:
    early = Watch.objects.get(round__number=20)

    assert (early.family, early.expected, early.fall, early.gaps) == ("", None, None, [])


def test_each_resolution_has_one_reading(tournament: Tournament) -> None:
    resolved = tournament.rounds.filter(status=Round.Status.RESOLVED)
    round = resolved.latest("number")

    watch_round(round, tournament.now())

    assert Watch.objects.count() == resolved.count()


def test_what_resolves_later_changes_no_reading(tournament: Tournament) -> None:
    round = tournament.rounds.get(number=35)
    known_at = Watch.objects.get(round=round).known_at
    told = Watch.objects.filter(round=round).values("family", "expected", "live", "rounds", "fall", "gaps").get()

    RoundWeights.objects.filter(round__resolved_at__gt=known_at).update(corr=0.9)
    Watch.objects.filter(round=round).delete()
    watch_round(round, known_at)

    assert RoundWeights.objects.filter(corr=0.9).exists()
    assert (
        Watch.objects.filter(round=round).values("family", "expected", "live", "rounds", "fall", "gaps").get() == told
    )


def test_a_family_that_passes_its_title_on_reigns_since_its_first_version(tournament: Tournament) -> None:
    ridge = SelectorVersion.objects.get()
    days = [tournament.rounds.get(number=number).opens_at for number in (31, 33, 35)]
    names = ("hmm", "ridge", "ridge")
    later = [
        SelectorVersion(family=name, promoted_at=day, tournament=tournament)
        for name, day in zip(names, days, strict=True)
    ]

    assert reign_of(later[2], [ridge, *later]) == days[1]
    assert reign_of(later[0], [ridge, later[0]]) == days[0]
