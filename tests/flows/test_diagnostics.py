"""A diagnosis is asked for, made once by a worker, and told with whatever was wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from regatta import artifacts
from regatta.accounts.models import User
from regatta.charts.numbers import corr
from regatta.diagnostics import figuring
from regatta.diagnostics.models import Diagnosis
from regatta.diagnostics.validation import VALIDATION
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.rounds.models import DatasetFile, Tournament
from regatta.rounds.prices import file_hash
from regatta.submissions.models import ContributedModel
from tests.flows import seas
from tests.web.graphql import Asker
from tournament.errors import BadInput
from workers.running import run_job

pytestmark = pytest.mark.django_db
ASK = """query($id: String) {
    diagnostics(modelId: "kelpie" id: $id) { status message erasAcceptedCount validationCorrMean } }"""


@pytest.fixture(scope="module")
def sea(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """Published, nothing sailed."""
    with django_db_blocker.unblock():
        yield seas.make(rounds=4)
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def kelpie(sea: Tournament, db: None) -> ContributedModel:
    return ContributedModel.objects.select_related("tournament").get(name="kelpie")


@pytest.fixture
def validation(kelpie: ContributedModel) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(artifacts.get(file_hash(kelpie.tournament, VALIDATION))))


def predicted(validation: pd.DataFrame) -> bytes:
    ranks = validation.groupby("era")["momentum_12_1"].rank(method="first") / 100
    return pd.DataFrame({"id": validation["id"], "prediction": ranks}).to_csv(index=False).encode()


def diagnosed(model: ContributedModel, data: bytes) -> Diagnosis:
    made = figuring.ask(model, data, filename="val.csv", now=timezone.now())
    assert flow.run_all("score", "this process", run_job, clock=timezone.now) == 1
    made.refresh_from_db()
    return made


def test_a_diagnosis_has_figures_of_every_era(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    found = diagnosed(kelpie, predicted(validation))

    assert (found.status, found.message) == ("done", "")
    assert [era["era"] for era in found.eras] == sorted(validation["era"].astype(int).unique())
    assert {"corr_mean", "bmc_sharpe", "fnc_std", "corr_max_drawdown", "max_feature_exposure"} <= set(found.summary)


def test_each_era_has_its_regime_and_each_regime_its_figures(
    kelpie: ContributedModel, validation: pd.DataFrame
) -> None:
    found = diagnosed(kelpie, predicted(validation))

    query = """{ diagnostics(modelId: "kelpie") { perEraDiagnostics { regime validationMmc }
                 perRegimeDiagnostics { regime eras corrMean mmcMean } } }"""
    told = Asker.of("owner_of_kelpie").ask(query)["diagnostics"]
    regimes = [era["regime"] for era in told["perEraDiagnostics"]]
    counted = {one["regime"]: one["eras"] for one in told["perRegimeDiagnostics"]}
    assert counted == {name: regimes.count(name) for name in set(regimes)}
    assert [one["corrMean"] for one in told["perRegimeDiagnostics"]] == [one["corr_mean"] for one in found.regimes]
    assert {era["validationMmc"] for era in told["perEraDiagnostics"]} == {None}


def test_some_whole_eras_may_be_sent(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    last = validation[validation["era"] == validation["era"].max()]

    found = diagnosed(kelpie, predicted(last))

    assert [era["era"] for era in found.eras] == [int(last["era"].iloc[0])]


def test_an_era_that_is_not_whole_is_refused(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    found = diagnosed(kelpie, predicted(validation.iloc[:-1]))

    assert found.status == "failed"
    assert "1 of" in found.message
    assert "missing" in found.message


@pytest.mark.parametrize("data", [b"id,prediction\nnobody,0.5\n", b"nothing", b"PAR1 but no more", b"a,b\n1,2\n"])
def test_another_file_is_refused_with_its_faults(kelpie: ContributedModel, data: bytes) -> None:
    found = diagnosed(kelpie, data)

    assert found.status == "failed"
    assert found.message


def test_made_twice_it_stays_as_it_is(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    found = diagnosed(kelpie, predicted(validation))

    again = figuring.make(found.pk, timezone.now())

    assert again.updated_at == found.updated_at


def test_the_owner_reads_the_newest_or_the_one_that_is_named(
    kelpie: ContributedModel, validation: pd.DataFrame
) -> None:
    first, second = diagnosed(kelpie, predicted(validation)), diagnosed(kelpie, b"nothing")
    asker = Asker.of("owner_of_kelpie")

    newest, named = (asker.ask(ASK, id=pk)["diagnostics"] for pk in (None, str(first.pk)))

    assert (newest["status"], newest["message"]) == ("failed", second.message)
    assert named["validationCorrMean"] == first.summary["corr_mean"]


def test_a_diagnosis_whose_job_was_given_up_says_so(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    figuring.ask(kelpie, predicted(validation), filename="val.csv", now=timezone.now())
    Job.objects.update(state=Job.State.FAILED, reason="The job did not end within its limits.")

    found = Asker.of("owner_of_kelpie").ask(ASK)["diagnostics"]

    assert (found["status"], found["message"]) == ("failed", "The job did not end within its limits.")


def test_a_tournament_without_a_validation_set_refuses(kelpie: ContributedModel) -> None:
    DatasetFile.objects.filter(name=VALIDATION).delete()

    with pytest.raises(BadInput, match="no validation set"):
        figuring.ask(kelpie, b"anything", filename="val.csv", now=timezone.now())


def test_the_page_takes_a_file_and_shows_what_came_of_it(kelpie: ContributedModel, validation: pd.DataFrame) -> None:
    client = Client()
    client.force_login(kelpie.owner)
    upload = SimpleUploadedFile("val.csv", predicted(validation))

    answer = client.post("/diagnostics/", {"model": "kelpie", "predictions": upload})
    pending = client.get(answer["Location"]).content.decode()
    flow.run_all("score", "this process", run_job, clock=timezone.now)
    done = client.get(answer["Location"]).content.decode()

    found = Diagnosis.objects.get(model=kelpie)
    assert "is being scored" in pending
    assert "worth on the past" in done
    assert "<svg" in done
    assert corr(found.summary["corr_mean"]) in done
    assert corr(found.summary["corr_mean"]) in client.get("/diagnostics/").content.decode()
    assert "In which regimes is it good?" in done
    assert all(one["regime"] in done for one in found.regimes)


def test_the_page_tells_every_fault(kelpie: ContributedModel) -> None:
    client = Client()
    client.force_login(kelpie.owner)
    found = diagnosed(kelpie, b"id,prediction\nnobody,7\n")

    shown = client.get(f"/diagnostics/{found.pk}/").content.decode()
    refused = client.post("/diagnostics/", {"model": "kelpie"})

    assert "could not be scored" in shown
    assert "outside 0 to 1" in shown
    assert (refused.status_code, "no file was chosen" in refused.content.decode().lower()) == (422, True)


def test_a_diagnosis_is_its_owners_alone(kelpie: ContributedModel) -> None:
    found = diagnosed(kelpie, b"nothing")
    stranger = Client()
    stranger.force_login(User.objects.get(username="owner_of_driftwood"))

    assert stranger.get(f"/diagnostics/{found.pk}/").status_code == 404
    assert stranger.post("/diagnostics/", {"model": "kelpie"}).status_code == 404
    assert Client().get(f"/diagnostics/{found.pk}/").status_code == 302
