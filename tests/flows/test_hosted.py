"""A model file handed in once: checked, run at each opening in the sandbox, submitted, scored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone

from regatta.accounts.models import User
from regatta.hosting import intake, sailing
from regatta.hosting.intake import check_again, take_in
from regatta.hosting.lost import blame_platform_for_lost
from regatta.hosting.models import HostedModel, HostedRun, State
from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas
from tests.hosting import files, graphs, trees, weights
from tournament.errors import BadModel
from tournament.markets.panel import PricePanel
from workers import hosting
from workers.sandbox.limits import SandboxFault

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_round() -> Round:
    made = seas.make(rounds=12)
    round = seas.first(made)
    seas.advance(made, round.opens_at)
    round.refresh_from_db()
    return round


def host(tournament: Tournament, data: bytes, name: str = "kelpie") -> HostedModel:
    model = ContributedModel.objects.select_related("tournament").get(name=name)
    owner = User.objects.get(pk=model.owner_id)
    hosted = take_in(model, data, filename="mine.txt", by=owner, now=timezone.now())
    seas.run_sandbox(tournament)
    hosted.refresh_from_db()
    return hosted


def test_a_hosted_model_sails_from_upload_to_score(open_round: Round) -> None:
    tournament = open_round.tournament

    hosted = host(tournament, files.trained_on(tournament))
    for round in tournament.rounds.order_by("number")[:6]:
        seas.advance(tournament, round.opens_at)
        seas.run_sandbox(tournament)
        seas.advance(tournament, round.closes_at)
    seas.advance(tournament, open_round.resolves_at)

    assert (hosted.state, hosted.is_assigned) == ("SUCCESS", True), hosted.log
    assert set(HostedRun.objects.values_list("state", flat=True)) == {"SUCCESS"}
    sent = Submission.objects.filter(model__name="kelpie", source="hosted", status="ACCEPTED", is_late=False)
    assert list(sent.order_by("round__number").values_list("round__number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Score.objects.get(round=open_round, model__name="kelpie", is_final=True).corr is not None


def test_a_run_is_done_once(open_round: Round) -> None:
    hosted = host(open_round.tournament, files.trained_on(open_round.tournament))
    run = HostedRun.objects.get(hosted=hosted, round=open_round)

    again = hosting.run_hosted({"run": run.pk})

    assert again == {"state": "SUCCESS"}
    assert Submission.objects.filter(model__name="kelpie").count() == 1


def test_what_was_taken_off_runs_no_more(open_round: Round) -> None:
    tournament = open_round.tournament
    hosted = host(tournament, files.trained_on(tournament))

    sailing.take_off(hosted)
    seas.advance(tournament, tournament.rounds.get(number=2).opens_at)

    assert HostedRun.objects.filter(hosted=hosted, round__number=2).count() == 0


def test_an_answer_after_the_close_is_late(open_round: Round) -> None:
    tournament = open_round.tournament
    hosted = host(tournament, files.trained_on(tournament))
    seas.advance(tournament, tournament.rounds.get(number=2).opens_at)
    seas.advance(tournament, tournament.rounds.get(number=2).closes_at)

    seas.run_sandbox(tournament)

    run = HostedRun.objects.get(hosted=hosted, round__number=2)
    assert run.submission is not None
    assert run.submission.is_late
    assert "after the close" in run.log


def test_a_fault_of_the_platform_is_tried_again_and_counts_for_nothing(
    open_round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    tournament, real = open_round.tournament, hosting.run

    def broken(*_: Any, **__: Any) -> None:
        raise SandboxFault("the disk is full")

    monkeypatch.setattr(hosting, "run", broken)
    monkeypatch.setattr(intake, "UPLOADS_PER_DAY", 1)
    failed = host(tournament, files.trained_on(tournament))
    monkeypatch.setattr(hosting, "run", real)

    assert failed.state == "ERROR"
    assert Job.objects.get(kind="check_hosted").fault == Job.Fault.PLATFORM
    assert "disk" not in failed.log
    assert host(tournament, files.trained_on(tournament)).state == "SUCCESS"
    assert check_again(failed, timezone.now())
    seas.run_sandbox(tournament)
    failed.refresh_from_db()
    assert failed.state == "SUCCESS"
    assert not failed.is_assigned, "a later version sails"


def test_a_check_whose_worker_was_lost_for_good_is_the_platforms_error(open_round: Round) -> None:
    model = ContributedModel.objects.select_related("tournament", "owner").get(name="kelpie")
    now = timezone.now()
    hosted = take_in(model, files.trained_on(open_round.tournament), filename="a", by=model.owner, now=now)
    hosted.move(State.VALIDATING, "Begun, and then its worker was killed.")
    Job.objects.filter(kind="check_hosted").update(state="FAILED", fault="platform", finished_at=now)

    marked = blame_platform_for_lost(now)

    hosted.refresh_from_db()
    assert (marked, hosted.state) == (1, "ERROR")
    assert check_again(hosted, now)
    seas.run_sandbox(open_round.tournament)
    hosted.refresh_from_db()
    assert hosted.state == "SUCCESS"


def test_a_model_that_answers_otherwise_the_second_time_is_refused(
    open_round: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hosting.run

    def wavering(*given: Any, seed: int = 0, **more: Any) -> Any:
        answer = real(*given, seed=seed, **more)
        return replace(answer, values=answer.values + np.float32(seed))

    monkeypatch.setattr(hosting, "run", wavering)

    hosted = host(open_round.tournament, files.trained_on(open_round.tournament))

    assert hosted.state == "FAILED"
    assert hosted.faults[0]["code"] == "not_the_same"


def test_a_model_without_an_opinion_is_refused(open_round: Round) -> None:
    tournament = open_round.tournament
    width = len(tournament.datasets.get().feature_names)
    flat = weights.file({"layers.0.weight": np.zeros((1, width)), "layers.0.bias": np.ones(1)},
                        weights.CONFIG | {"features": width})  # fmt: skip

    hosted = host(tournament, flat)

    assert (hosted.state, hosted.faults[0]["code"]) == ("FAILED", "constant")


def test_the_worker_goes_on_after_every_hostile_file(open_round: Round) -> None:
    tournament = open_round.tournament
    files_sent = [
        trees.TAMPERED["node is its own child"], graphs.TAMPERED["an endless loop"],
        graphs.TAMPERED["a bomb of memory"], weights.TAMPERED["weights that are not numbers"],
        graphs.TAMPERED["data up the path"],
    ]  # fmt: skip

    states = [host(tournament, data).state for data in files_sent]
    good = host(tournament, files.trained_on(tournament))

    assert states == ["FAILED"] * len(files_sent)
    assert good.state == "SUCCESS"
    assert set(Job.objects.filter(queue="sandbox").values_list("state", flat=True)) == {"DONE"}


def test_nobody_sends_a_model_for_another(open_round: Round) -> None:
    stranger = User.objects.get(username="owner_of_northwind")
    model = ContributedModel.objects.get(name="kelpie")

    with pytest.raises(BadModel, match="is not yours"):
        take_in(model, trees.GOOD, filename="a.txt", by=stranger, now=timezone.now())

    assert not HostedModel.objects.exists()


def test_runs_beyond_the_quota_fail_in_words(open_round: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sailing, "RUNS_PER_DAY", 0)

    host(open_round.tournament, files.trained_on(open_round.tournament))
    seas.run_sandbox(open_round.tournament)

    run = HostedRun.objects.get()
    assert run.state == "FAILED"
    assert "have run 0 times within a day" in run.log


def test_an_opening_without_hosted_models_asks_once(open_round: Round, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        sailing.ask_runs(open_round)


def sail_hosted(panel: PricePanel, through: int) -> list[tuple[int, str]]:
    """What a hosted model answered in each round; the database is left as it was."""
    with transaction.atomic():
        tournament = seas.make(panel, rounds=8)
        seas.advance(tournament, seas.first(tournament).opens_at)
        host(tournament, files.trained_on(tournament))
        for round in tournament.rounds.filter(number__lte=through).order_by("number"):
            seas.advance(tournament, round.opens_at)
            seas.run_sandbox(tournament)
            seas.advance(tournament, round.closes_at)
        sent = Submission.objects.filter(source="hosted").order_by("round__number")
        answers = list(sent.values_list("round__number", "values_sha256"))
        transaction.set_rollback(True)
    return answers


def test_a_hosted_model_sees_no_price_of_the_future() -> None:
    with transaction.atomic():
        closes_at = seas.make(rounds=8).rounds.get(number=2).closes_at
        transaction.set_rollback(True)
    day = np.datetime64(closes_at.date()) - np.timedelta64(1, "D")

    ours = sail_hosted(seas.prices(), 3)
    theirs = sail_hosted(seas.altered_after(seas.prices(), day), 3)

    assert [number for number, _ in ours] == [1, 2, 3]
    assert ours[:2] == theirs[:2]
    assert ours[2:] != theirs[2:], "the altered prices did reach later rounds"
