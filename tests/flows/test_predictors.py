"""The platform's own predictors: trained on what had resolved, fine-tuned and submitted at each opening."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from regatta.jobs.models import Job
from regatta.predictors import contributing
from regatta.predictors.contributing import contribute, predictor_name
from regatta.predictors.material import known_eras, newest_eras
from regatta.predictors.models import PredictorVersion
from regatta.rounds.models import Round, Tournament
from regatta.rounds.sealing import read_panel
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas
from tournament.predictors.registry import NAMES, make

pytestmark = pytest.mark.django_db

FAMILIES = ("lightgbm", "reptile")


@pytest.fixture(autouse=True)
def _two_families(settings: Any) -> None:
    settings.REGATTA_PREDICTORS = FAMILIES


@pytest.fixture
def tournament() -> Tournament:
    return seas.make(seas.prices(weeks=80), predictor_rounds=6)


def names(tournament: Tournament) -> set[str]:
    return {predictor_name(tournament, family) for family in FAMILIES}


def sent(number: int) -> set[str]:
    own = Submission.objects.filter(round__number=number, source="platform", status="ACCEPTED", is_late=False)
    return set(own.values_list("model__name", flat=True))


def test_a_course_with_them(tournament: Tournament) -> None:
    """One course for all that only looks at what it left: sailing is what costs time."""
    seas.sail(tournament, 9)

    they_answer_from_the_second_round_on(tournament)
    they_are_benchmarks_of_the_platform_and_make_bmc(tournament)
    they_are_trained_anew_and_the_newest_answers(tournament)
    what_they_learn_from_had_resolved(tournament)


def they_answer_from_the_second_round_on(tournament: Tournament) -> None:
    first, second = tournament.rounds.order_by("number")[:2]
    assert {job.state for job in Job.objects.filter(kind="train_predictors")} == {"DONE"}
    assert sent(1) == {"example_seas"}
    assert sent(2) == {"example_seas"} | names(tournament)
    assert names(tournament) <= set(second.panel_models)
    assert not names(tournament) & set(first.panel_models)


def they_are_benchmarks_of_the_platform_and_make_bmc(tournament: Tournament) -> None:
    models = ContributedModel.objects.filter(name__in=names(tournament))
    assert {(model.is_benchmark, model.owner.username) for model in models} == {(True, "regatta")}
    assert all(model.description for model in models)
    scores = Score.objects.filter(round__number=2, is_final=True, model__name__in=[*names(tournament), "kelpie"])
    assert np.isfinite([value for score in scores for value in (score.corr, score.bmc)]).all()


def they_are_trained_anew_and_the_newest_answers(tournament: Tournament) -> None:
    assert set(PredictorVersion.objects.values_list("trained_in", flat=True)) == {1, 7}
    files = Submission.objects.filter(model__name=predictor_name(tournament, "reptile"))
    assert files.get(round__number=7).filename == "reptile_trained_in_1.parquet"
    assert files.get(round__number=8).filename == "reptile_trained_in_7.parquet"


def what_they_learn_from_had_resolved(tournament: Tournament) -> None:
    round = tournament.rounds.get(number=9)

    known = known_eras(tournament, round.opens_at)
    newest = newest_eras(tournament, round.opens_at, 12)

    resolved = tournament.rounds.filter(resolved_at__lte=round.opens_at)
    assert known.number_E[-1] == max(int(era) for era in resolved.values_list("era", flat=True))
    assert known.number_E[-1] <= int(round.era) - tournament.parsed_rules().resolve_rounds
    assert np.array_equal(newest.number_E, known.number_E[-12:])
    rows = np.isfinite(newest.target_EN)
    assert np.array_equal(newest.target_EN[rows], known.target_EN[-12:][:, : rows.shape[1]][rows])


def test_the_sealed_ranks_are_those_of_the_fine_tuned_network(tournament: Tournament) -> None:
    seas.sail(tournament, 3)
    round = tournament.rounds.get(number=3)
    version = PredictorVersion.objects.get(family="reptile")
    predictor = make("reptile")

    state = predictor.adapt(
        contributing._state(version.state_sha256), newest_eras(tournament, round.opens_at, predictor.support)
    )
    features = contributing.live_features(round, contributing.feature_names(tournament))[1]
    values = predictor.predict(state, features)

    column = read_panel(round.panel_sha256)[:, round.panel_models.index(predictor_name(tournament, "reptile"))]
    assert np.array_equal(np.argsort(column, kind="stable"), np.argsort(values, kind="stable"))


def test_asked_again_they_send_nothing_twice_and_make_good_what_was_cut_off(tournament: Tournament) -> None:
    seas.sail(tournament, 1)
    second: Round = tournament.rounds.get(number=2)
    seas.advance(tournament, second.opens_at)
    second.refresh_from_db()
    lost = Submission.objects.get(round=second, model__name=predictor_name(tournament, "reptile"))
    values = lost.values_sha256
    lost.delete()

    seas.advance(tournament, second.closes_at)
    contribute(second)

    contribute(seas.first(tournament))

    assert Submission.objects.filter(round=second, source="platform").count() == 3
    assert (Job.objects.count(), PredictorVersion.objects.count()) == (1, len(FAMILIES))
    made_good = Submission.objects.get(round=second, model__name=predictor_name(tournament, "reptile"))
    assert (made_good.values_sha256, made_good.is_late) == (values, False)
    second.refresh_from_db()
    assert names(tournament) <= set(second.panel_models)


def test_one_that_fails_is_left_out_and_holds_nothing_up(
    tournament: Tournament, caplog: pytest.LogCaptureFixture
) -> None:
    seas.sail(tournament, 1)
    PredictorVersion.objects.filter(family="reptile").update(state_sha256="0" * 64)

    with caplog.at_level(logging.ERROR):
        seas.sail(tournament, 2)

    assert sent(2) == {"example_seas", predictor_name(tournament, "lightgbm")}
    assert "left round" in caplog.text
    assert tournament.rounds.get(number=2).status != "OPEN"


def test_one_that_finds_too_few_eras_is_left_out_and_says_why() -> None:
    tournament = seas.make(predictor_rounds=6)  # 42 eras before its first round

    seas.sail(tournament, 2)

    result = Job.objects.get(kind="train_predictors").result
    assert set(result["refused"]) == {"reptile"}
    assert "at least 30 tasks are needed" in result["refused"]["reptile"]
    assert sent(2) == {"example_seas", predictor_name(tournament, "lightgbm")}


def test_without_predictor_rounds_only_the_example_answers() -> None:
    tournament = seas.make(predictor_rounds=0)
    seas.sail(tournament, 2)

    assert sent(2) == {"example_seas"}
    assert not Job.objects.filter(kind="train_predictors").exists()


def test_names_of_two_tournaments_never_meet() -> None:
    long = "a-tournament-of-a-very-long-name-number-"
    made = [Tournament.objects.create(slug=f"{long}{place}", name="x", market="real") for place in range(2)]

    found = [predictor_name(one, family) for one in made for family in NAMES]

    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= 40


def test_the_setting_knows_every_predictor() -> None:
    from regatta.environment import PREDICTORS

    assert PREDICTORS == NAMES
