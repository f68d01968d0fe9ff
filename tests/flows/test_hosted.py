"""A model file handed in once: checked, run at each opening in the sandbox, submitted, scored."""

from __future__ import annotations

import pytest

from regatta.accounts.models import User
from regatta.hosting.intake import take_in
from regatta.hosting.models import HostedModel, HostedRun
from regatta.jobs import flow
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas
from tests.hosting import files
from workers.running import run_job

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
    hosted = take_in(model, data, filename="mine.txt", by=owner, now=tournament.now())
    run_sandbox(tournament)
    hosted.refresh_from_db()
    return hosted


def run_sandbox(tournament: Tournament) -> int:
    return flow.run_all("sandbox", "this process", run_job, clock=tournament.now)


def test_a_hosted_model_sails_from_upload_to_score(open_round: Round) -> None:
    tournament = open_round.tournament

    hosted = host(tournament, files.trained_on(tournament))
    for round in tournament.rounds.order_by("number")[:6]:
        seas.advance(tournament, round.opens_at)
        run_sandbox(tournament)
        seas.advance(tournament, round.closes_at)
    seas.advance(tournament, open_round.resolves_at)

    assert (hosted.state, hosted.is_assigned) == ("SUCCESS", True), hosted.log
    assert set(HostedRun.objects.values_list("state", flat=True)) == {"SUCCESS"}
    sent = Submission.objects.filter(model__name="kelpie", source="hosted", status="ACCEPTED", is_late=False)
    assert list(sent.order_by("round__number").values_list("round__number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert Score.objects.get(round=open_round, model__name="kelpie", is_final=True).corr is not None
