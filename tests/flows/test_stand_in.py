"""Where the market is unlike all that the champion was trained on a committee answers, and the rows say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from regatta.ensemble.history import _linear_scores
from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion
from regatta.ensemble.standing_in import corrs_so_far
from regatta.ensemble.training import record
from regatta.ensemble.weighing import weigh_round
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel
from tests.flows import seas
from tournament.rules import Rules
from tournament.selectors.committee import MEMBERS, RATE, SHARE
from tournament.selectors.experts import specialists

LED, LAST = 17, 25


@pytest.fixture(scope="module")
def tournament(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """Trained at round 15, led by hmm from round 17 on; every market is too new for its rules."""
    with django_db_blocker.unblock():
        made = seas.make(
            seas.prices(weeks=60), warmup_rounds=10, retrain_every_rounds=100, novelty_limit=1e-6, stickiness=0.5,
            contributor_cap=0.3,
        )  # fmt: skip
        seas.sail(made, LED - 1)
        SelectorVersion.objects.filter(family="hmm").update(status="CHAMPION", promoted_at=made.now())
        seas.sail(made, LAST)
        yield made
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _rolled_back(tournament: Tournament, db: None) -> None:
    """What a test changes is undone: all share one tournament."""


def weigh_anew(tournament: Tournament, number: int = LAST, **rules: float) -> Round:
    """The round's weights as they would have been under other rules."""
    round = tournament.rounds.get(number=number)
    closed_at = round.weights.first().known_at
    round.weights.all().delete()
    Tournament.objects.filter(pk=tournament.pk).update(rules=tournament.rules | rules)
    round = Round.objects.select_related("tournament").get(pk=round.pk)
    weigh_round(round, closed_at)
    return round


def row(round: Round, **which: Any) -> RoundWeights:
    return round.weights.get(**which)


def test_the_rows_hold_who_leads_and_who_answers(tournament: Tournament) -> None:
    rows = RoundWeights.objects.filter(round__number__gte=LED)

    assert {one.family for one in rows.filter(is_champion=True)} == {"hmm"}
    assert {one.family for one in rows.filter(answers=True)} == {"committee"}
    assert all("hmm was trained on" in one.reason for one in rows.filter(answers=True))
    assert set(MetaModel.objects.filter(round__number__gte=LED).values_list("family", flat=True)) == {"committee"}


def test_before_anything_was_learned_nobody_stands_in(tournament: Tournament) -> None:
    early = RoundWeights.objects.filter(round__number__lt=LED)

    assert not early.filter(family="committee").exists()
    assert early.filter(answers=True).count() == early.filter(answers=True, is_champion=True).count() == LED - 1


def test_it_weighs_its_members_by_what_their_blends_scored_so_far(tournament: Tournament) -> None:
    round = tournament.rounds.get(number=LAST)
    members = [name for name in MEMBERS if round.weights.filter(family=name).exists()]
    past = tournament.rounds.filter(resolves_at__lte=round.opens_at).order_by("resolves_at")
    corrs = [dict(one.weights.values_list("family", "corr")) for one in past]
    gains = np.array([[one.get(name, np.nan) for name in members] for one in corrs])  # untrained, a member slept
    log_share = specialists(gains, rate=RATE, share=SHARE)
    share = np.exp(log_share) / np.exp(log_share).sum()
    given = [row(round, family=name).given for name in members]

    answer = row(round, answers=True)

    assert len(gains) >= 15
    assert np.isfinite(gains).all(axis=1).any()
    assert answer.explanation["members"] == pytest.approx(dict(zip(members, share, strict=True)), abs=1e-4)
    for model in round.panel_models:
        mean = sum(part * one.get(model, 0.0) for part, one in zip(share, given, strict=True))
        assert answer.own.get(model, 0.0) == pytest.approx(mean, abs=1e-12)


def test_a_corr_that_came_later_changes_nothing(tournament: Tournament) -> None:
    round = tournament.rounds.get(number=LAST)
    before = corrs_so_far(round, MEMBERS, tournament.now())

    later = RoundWeights.objects.filter(round__resolves_at__gt=round.opens_at)
    later.update(corr=0.9)

    assert later.count() > 0
    assert np.array_equal(corrs_so_far(round, MEMBERS, tournament.now()), before, equal_nan=True)


def test_in_a_known_market_the_champion_answers(tournament: Tournament) -> None:
    round = weigh_anew(tournament, novelty_limit=1e6)

    assert row(round, answers=True).family == "hmm"
    assert not round.weights.filter(family="committee").exists()


def test_novelty_is_told_of_the_markets_before_the_training(tournament: Tournament) -> None:
    found = dict(RegimeState.objects.values_list("round__number", "novelty"))

    assert set(range(LED, LAST + 1)) <= set(found)
    assert all(0.0 < found[number] < 5.0 for number in range(LED, LAST + 1))


def test_rounds_of_a_stand_in_are_no_familys_record(tournament: Tournament) -> None:
    RoundWeights.objects.filter(family="committee").update(corr=0.1)

    assert "committee" not in record(tournament, tournament.now())


def test_the_record_is_of_what_a_family_gave_and_the_meta_model_of_what_the_rules_made(tournament: Tournament) -> None:
    meta = MetaModel.objects.filter(corr__isnull=False).latest("round__number")

    answer = row(meta.round, answers=True)

    assert answer.own != answer.weights
    assert answer.given == answer.own
    assert meta.corr != pytest.approx(answer.corr, abs=1e-12)
    assert set(answer.outcome["models"]) == set(answer.weights)


def test_stickiness_and_cap_hold_in_every_round(tournament: Tournament) -> None:
    owner = dict(ContributedModel.objects.values_list("name", "owner_id"))
    for answer in RoundWeights.objects.filter(answers=True):
        together: dict[int, float] = {}
        for name, weight in answer.weights.items():
            together[owner[name]] = together.get(owner[name], 0.0) + weight
        assert sum(answer.weights.values()) == pytest.approx(1.0)
        assert max(together.values()) <= 0.3 + 1e-9


def test_stickiness_moves_less_weight_than_none(tournament: Tournament) -> None:
    before = row(tournament.rounds.get(number=LAST - 1), answers=True).weights

    def moved(stickiness: float) -> float:
        now = row(weigh_anew(tournament, stickiness=stickiness, contributor_cap=1.0), answers=True).weights
        return 0.5 * sum(abs(now.get(name, 0.0) - before.get(name, 0.0)) for name in {*now, *before})

    assert moved(50.0) < moved(0.5) < moved(0.0)


def test_by_default_the_rules_change_no_weight(tournament: Tournament) -> None:
    usual = Rules()

    round = weigh_anew(
        tournament, stickiness=usual.stickiness, contributor_cap=usual.contributor_cap, novelty_limit=1e6
    )

    assert row(round, answers=True).own == {}


def test_what_was_not_known_at_the_opening_changes_neither_novelty_nor_the_answer(tournament: Tournament) -> None:
    number = LAST - 3
    asked = tournament.rounds.get(number=number)
    before = row(weigh_anew(tournament, number), answers=True)

    for later in tournament.rounds.filter(number__gt=number):
        Round.objects.filter(pk=later.pk).update(context={name: 9.0 * value for name, value in later.context.items()})
    RoundWeights.objects.filter(round__resolves_at__gt=asked.opens_at).update(corr=-0.9)
    Score.objects.filter(round__resolves_at__gt=asked.opens_at).update(linear=0.9, corr=0.9)
    _linear_scores.cache_clear()
    after = row(weigh_anew(tournament, number), answers=True)

    assert (after.family, after.reason, after.own, after.weights) == (
        before.family, before.reason, before.own, before.weights,
    )  # fmt: skip
    assert "hmm was trained on" in after.reason
