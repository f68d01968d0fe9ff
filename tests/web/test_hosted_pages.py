"""Hand in a model file by page: what it says before, while and after it is checked, and to whom."""

from __future__ import annotations

import pickle

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import User
from regatta.hosting import intake
from regatta.hosting.models import HostedModel, HostedRun, SandboxReport
from regatta.jobs import flow
from regatta.rounds.models import Tournament
from tests.flows import seas
from tests.hosting import files
from workers.running import run_job

pytestmark = pytest.mark.django_db
PLACE = "/accounts/models/kelpie/hosted/"


@pytest.fixture
def tournament() -> Tournament:
    made = seas.make(rounds=4)
    seas.advance(made, seas.first(made).opens_at)
    return made


@pytest.fixture
def owner(tournament: Tournament, client: Client) -> Client:
    client.force_login(User.objects.get(username="owner_of_kelpie"))
    return client


@pytest.fixture
def checked(owner: Client, tournament: Tournament) -> HostedModel:
    owner.post(PLACE, {"file": SimpleUploadedFile("mine.txt", files.trained_on(tournament))})
    run_sandbox(tournament)
    return HostedModel.objects.get()


def run_sandbox(tournament: Tournament) -> None:
    flow.run_all("sandbox", "this process", run_job, clock=tournament.now)


def send(client: Client, data: bytes, name: str = "mine.txt") -> str:
    return client.post(PLACE, {"file": SimpleUploadedFile(name, data)}, follow=True).content.decode()


def test_the_account_page_leads_to_hosting(owner: Client) -> None:
    assert f'href="{PLACE}">host a file' in owner.get("/accounts/").content.decode()


def test_a_file_waits_for_its_check(owner: Client, tournament: Tournament) -> None:
    text = send(owner, files.trained_on(tournament))

    assert "Version 1 is being checked" in text
    assert "by their content lightgbm" in text


def test_a_good_file_sails_and_shows_how_it_would_have_done(owner: Client, checked: HostedModel) -> None:
    text = owner.get(f"{PLACE}1/").content.decode()

    assert "Version 1 is good" in text
    assert "It sails" in text
    assert "the same bytes twice" in text
    assert "How would it have done?" in text
    assert "hosted, version 1" in owner.get("/accounts/").content.decode()


def test_its_answer_to_the_open_round_is_on_its_page(
    owner: Client, checked: HostedModel, tournament: Tournament
) -> None:
    run_sandbox(tournament)

    sent = HostedRun.objects.get().submission
    assert sent is not None
    assert f'/submissions/{sent.pk}/">accepted' in owner.get(f"{PLACE}1/").content.decode()


def test_a_pickle_is_refused_at_once_whatever_its_name(owner: Client) -> None:
    answer = owner.post(PLACE, {"file": SimpleUploadedFile("mine.onnx", pickle.dumps({"weights": [1.0]}))})

    assert answer.status_code == 422
    assert "The file is a pickle" in answer.content.decode()
    assert "regatta convert" in answer.content.decode()
    assert not HostedModel.objects.exists()


def test_a_broken_model_is_refused_with_its_fault(owner: Client, tournament: Tournament) -> None:
    send(owner, files.trained_on(tournament).replace(b"num_leaves=5", b"num_leaves=7", 1))
    run_sandbox(tournament)

    text = owner.get(f"{PLACE}1/").content.decode()

    assert "Version 1 was refused" in text
    assert "tree 0: split_feature does not hold 6 whole numbers" in text


def test_a_second_version_takes_over(owner: Client, checked: HostedModel, tournament: Tournament) -> None:
    send(owner, files.trained_on(tournament))
    run_sandbox(tournament)

    assert list(HostedModel.objects.filter(is_assigned=True).values_list("number", flat=True)) == [2]


def test_an_earlier_version_may_sail_again(owner: Client, checked: HostedModel, tournament: Tournament) -> None:
    send(owner, files.trained_on(tournament))
    run_sandbox(tournament)

    owner.post(f"{PLACE}1/assign/")

    assert list(HostedModel.objects.filter(is_assigned=True).values_list("number", flat=True)) == [1]


def test_a_version_is_taken_off(owner: Client, checked: HostedModel) -> None:
    text = owner.post(f"{PLACE}1/take-off/", follow=True).content.decode()

    assert "runs no more" in text
    assert not HostedModel.objects.filter(is_assigned=True).exists()


def test_a_version_that_was_refused_does_not_sail(owner: Client, tournament: Tournament) -> None:
    send(owner, files.trained_on(tournament)[:300])
    run_sandbox(tournament)

    text = owner.post(f"{PLACE}1/assign/", follow=True).content.decode()

    assert "was not found good" in text
    assert not HostedModel.objects.filter(is_assigned=True).exists()


def test_the_quota_is_told(owner: Client, tournament: Tournament, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "UPLOADS_PER_DAY", 1)
    send(owner, files.trained_on(tournament))

    assert "You have sent 1 model files within a day" in send(owner, files.trained_on(tournament))


def test_without_a_file_nothing_is_sent(owner: Client) -> None:
    answer = owner.post(PLACE)

    assert answer.status_code == 422
    assert b"No file was chosen" in answer.content


@pytest.mark.parametrize("path", ["", "1/"])
def test_nobody_sees_the_hosted_models_of_another(checked: HostedModel, client: Client, path: str) -> None:
    client.force_login(User.objects.get(username="owner_of_northwind"))

    assert client.get(PLACE + path).status_code == 404


@pytest.mark.parametrize("path", ["assign/", "take-off/", "try-again/"])
def test_nobody_moves_the_hosted_models_of_another(checked: HostedModel, client: Client, path: str) -> None:
    client.force_login(User.objects.get(username="owner_of_northwind"))

    assert client.post(f"{PLACE}1/{path}").status_code == 404
    assert HostedModel.objects.get().is_assigned


@pytest.mark.parametrize("path", ["", "1/"])
def test_a_stranger_is_asked_to_log_in(tournament: Tournament, client: Client, path: str) -> None:
    assert client.get(PLACE + path).status_code == 302


def test_the_status_page_tells_what_holds_the_sandboxes(client: Client, redis_server: str) -> None:
    now = timezone.now()
    SandboxReport.record("good@host", now=now, is_safe=True, level="Landlock 7, seccomp", tried=["a", "b"])
    SandboxReport.record("bad@host", now=now, is_safe=False, level="none", tried=["a"], escaped=["open a socket"])

    text = client.get("/status/").content.decode()

    assert "✓ Landlock 7, seccomp</span>: 2 attempts to escape failed" in text
    assert "it got out by way of open a socket" in text


def test_the_docs_tell_what_may_be_hosted(client: Client) -> None:
    assert "Hand in a model once" in client.get("/docs/hosted/").content.decode()
