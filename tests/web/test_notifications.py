"""Who is told what, how, and that nothing is told twice or unasked."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import User
from regatta.hosting.models import HostedModel, HostedRun
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.notifications.fanning import tell
from regatta.notifications.mailing import send
from regatta.notifications.models import Event, Notice, Preference, Way
from regatta.notifications.telling import announce, tell_of_failed_run
from regatta.rounds.models import Tournament
from regatta.scores.models import Score
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from regatta.webhooks.delivering import EVENTS
from tests.flows import seas
from workers.running import run_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def tournament(opened: Tournament) -> Tournament:
    return Tournament.objects.get(pk=opened.pk)


@pytest.fixture
def owner(tournament: Tournament) -> User:
    return User.objects.get(username="owner_of_kelpie")


def work(tournament: Tournament) -> None:
    flow.run_all("io", "this process", run_job, clock=tournament.now)


def wants(owner: User, **ways: Way) -> None:
    for event, way in ways.items():
        Preference.objects.create(owner=owner, event=Event[event], way=way)


def send_bad(tournament: Tournament, name: str = "kelpie") -> Submission:
    model = ContributedModel.objects.get(name=name)
    round = tournament.rounds.get(number=1)
    return receive(model, round, b"id,prediction\nx,2\n", filename="bad.csv", source="api", now=round.opens_at)


def announced(tournament: Tournament) -> None:
    announce(tournament.rounds.get(number=1), Event.OPENED)
    work(tournament)


def test_where_nobody_asked_an_opening_costs_two_queries(
    tournament: Tournament, django_assert_num_queries: Any
) -> None:
    round = tournament.rounds.get(number=1)

    with django_assert_num_queries(2):
        assert announce(round, Event.OPENED) is None


def test_a_refused_file_is_told_by_mail_and_in_the_inbox_unasked(tournament: Tournament, owner: User) -> None:
    submission = send_bad(tournament)

    work(tournament)

    notice = Notice.objects.get()
    assert (notice.owner, notice.link) == (owner, f"/submissions/{submission.pk}/")
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["kelpie@example.org"], "Regatta: Your file for kelpie in round 1 was refused")
    ]
    assert "http://127.0.0.1:8000/submissions/" in mail.outbox[0].body


def test_many_refused_files_of_a_round_are_told_once(tournament: Tournament) -> None:
    for _ in range(3):
        send_bad(tournament)

    work(tournament)

    assert Notice.objects.count() == len(mail.outbox) == 1


def test_a_hosted_model_that_fails_is_told(tournament: Tournament, owner: User) -> None:
    hosted = HostedModel.objects.create(model=ContributedModel.objects.get(name="kelpie"), number=3, size=1, sha256="0")
    faults = [{"code": "nan", "message": "it answered NaN", "hint": "fill what is missing"}]
    run = HostedRun.objects.create(hosted=hosted, round=tournament.rounds.get(number=1), state="FAILED", faults=faults)
    tell_of_failed_run(run)
    tell_of_failed_run(run)

    work(tournament)

    notice = Notice.objects.get()
    assert (notice.title, notice.owner) == ("Your hosted model kelpie failed in round 1", owner)
    assert notice.text == "It answered NaN. Fill what is missing."
    assert notice.link == "/accounts/models/kelpie/hosted/3/"
    assert len(mail.outbox) == 1


def test_a_good_file_is_no_news(tournament: Tournament) -> None:
    seas.submit("kelpie", tournament.rounds.get(number=1))

    assert not Job.objects.filter(kind="notify").exists()


def test_who_wants_silence_has_it(tournament: Tournament, owner: User) -> None:
    wants(owner, REJECTED=Way.OFF)
    send_bad(tournament)

    work(tournament)

    assert not Notice.objects.exists()
    assert mail.outbox == []


def test_an_opening_is_told_to_those_who_asked_alone(tournament: Tournament, owner: User) -> None:
    wants(owner, OPENED=Way.MAIL)
    wants(User.objects.get(username="owner_of_northwind"), OPENED=Way.INBOX)

    announced(tournament)

    assert set(Notice.objects.values_list("owner__username", flat=True)) == {"owner_of_kelpie", "owner_of_northwind"}
    assert [one.to for one in mail.outbox] == [["kelpie@example.org"]]
    assert mail.outbox[0].subject == "Regatta: Round 1 of Seas is open"


def test_scores_are_told_with_ones_own_corr_and_nobody_elses(tournament: Tournament, owner: User) -> None:
    wants(owner, SCORED=Way.INBOX)
    round = tournament.rounds.get(number=1)
    for place, model in enumerate(ContributedModel.objects.filter(name__in=["kelpie", "northwind"]).order_by("name")):
        known = {"as_of": round.opens_at, "known_at": round.opens_at, "day": 20, "is_final": True}
        Score.objects.create(round=round, model=model, corr=0.0123 + place, **known)

    tell(Event.SCORED, {"round": round.pk}, tournament.now())

    notice = Notice.objects.get()
    assert notice.title == "Scores of round 1 of Seas are in"
    assert notice.text == "kelpie: corr 0.0123"


def test_an_event_told_twice_is_heard_once(tournament: Tournament, owner: User) -> None:
    wants(owner, OPENED=Way.MAIL)
    payload = {"round": tournament.rounds.get(number=1).pk}

    first, again = (tell(Event.OPENED, payload, timezone.now()) for _ in range(2))
    work(tournament)
    notice = Notice.objects.get()

    assert first == {"notices": 1, "mails": 1, "deliveries": 0}
    assert again == {"notices": 0, "mails": 0, "deliveries": 0}
    assert send(notice.mail.pk, 0, timezone.now()) == "done before"
    assert len(mail.outbox) == 1


def test_the_inbox_shows_ones_own_and_is_read_when_its_owner_says_so(
    client: Client, tournament: Tournament, owner: User
) -> None:
    send_bad(tournament)
    send_bad(tournament, "northwind")
    work(tournament)
    client.force_login(owner)

    text = client.get("/inbox/").content.decode()
    newest = Notice.objects.filter(owner=owner).get()
    client.post("/inbox/read/", {"newest": Notice.objects.latest("pk").pk})

    assert "kelpie in round 1 was refused" in text
    assert "northwind" not in text
    assert 'Inbox <b>1</b><span class="unseen"> unread</span>' in text
    newest.refresh_from_db()
    assert newest.read_at is not None
    assert Notice.objects.filter(read_at=None).count() == 1
    assert "Nothing unread" in client.get("/inbox/").content.decode()


def test_choices_are_kept_and_nonsense_is_not(client: Client, owner: User) -> None:
    client.force_login(owner)

    client.post("/inbox/ways/", {"round.opened": "mail", "round.scored": "pigeon"})
    client.post("/inbox/ways/", {"round.opened": "inbox"})

    assert Preference.of(owner) == {Event.OPENED: Way.INBOX, Event.REJECTED: Way.MAIL, Event.SCORED: Way.OFF}
    assert Preference.objects.count() == 1


def test_a_stranger_has_no_inbox(client: Client) -> None:
    assert client.get("/inbox/").status_code == 302
    assert client.get("/inbox/read/").status_code in (302, 405)


def test_programs_can_be_told_of_what_people_can() -> None:
    assert {event.value for event in Event} == set(EVENTS)
