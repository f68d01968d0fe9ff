"""Mails: tried with growing pauses, given up at last, seen by staff; none is lost and none comes twice."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.core import mail as posted
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import User
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.jobs.pauses import PAUSES
from regatta.notifications.mailing import FRESH, promise, send_again, sweep
from regatta.notifications.models import Event, Mail, Notice
from workers.running import run_job

pytestmark = pytest.mark.django_db


class Server:
    """A mail server that fails as it is told; what it takes is in Django's outbox."""

    def __init__(self, take: object) -> None:
        self.failing: BaseException | None = None
        self.tries, self._take = 0, take

    def send(self, message: EmailMessage) -> int:
        self.tries += 1
        if self.failing is not None:
            raise self.failing
        return int(self._take(message))  # type: ignore[operator]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server(EmailMessage.send)
    monkeypatch.setattr(EmailMessage, "send", lambda message: made.send(message))
    return made


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("ada", "ada@example.org", "a long enough password")


def told(owner: User, name: str = "one", now: datetime | None = None) -> Mail:
    notice = Notice.objects.create(owner=owner, event=Event.REJECTED, key=name, title=f"Title of {name}", link="/x/")
    return promise(notice, now or timezone.now())


def work(now: datetime | None = None) -> None:
    flow.run_all("io", "this process", run_job, clock=lambda: now or timezone.now())


def after(mail: Mail, monkeypatch: pytest.MonkeyPatch, **passed: float) -> datetime:
    """Let time pass, then do what a sweep and a worker do."""
    now = timezone.now() + timedelta(**passed)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    sweep(now)
    work(now)
    mail.refresh_from_db()
    return now


def test_a_mail_goes_out_once_however_often_it_is_asked_for(owner: User, server: Server) -> None:
    mail = told(owner)

    work()
    Job.objects.update(state="QUEUED", attempt=0)
    work()
    sweep(timezone.now() + timedelta(days=2))
    work()

    mail.refresh_from_db()
    assert (mail.state, mail.attempt, mail.due_at) == ("SENT", 1, None)
    assert len(posted.outbox) == server.tries == 1


def test_it_is_tried_again_after_growing_pauses_and_given_up(
    owner: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail, pauses = told(owner), []
    server.failing = ConnectionRefusedError("nobody listens")
    work()
    mail.refresh_from_db()
    while mail.due_at is not None:
        pauses.append(mail.due_at - timezone.now())
        after(mail, monkeypatch, seconds=pauses[-1].total_seconds() + 1)

    assert server.tries == len(PAUSES) + 1
    assert [round(pause.total_seconds()) for pause in pauses] == [pause.total_seconds() for pause in PAUSES]
    assert (mail.state, mail.error) == ("FAILED", "ConnectionRefusedError: nobody listens")
    assert posted.outbox == []


def test_a_server_that_comes_back_gets_every_mail_once(
    owner: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = [told(owner, f"mail {place}") for place in range(5)]
    server.failing = smtplib.SMTPServerDisconnected("gone")
    work()
    server.failing = None
    after(mails[0], monkeypatch, seconds=30)

    assert sorted(one.subject for one in posted.outbox) == [f"Regatta: Title of mail {place}" for place in range(5)]
    assert set(Mail.objects.values_list("state", flat=True)) == {"SENT"}


def test_a_dead_server_is_asked_by_one_mail_while_the_others_wait(owner: User, server: Server) -> None:
    for place in range(5):
        told(owner, f"mail {place}")
    server.failing = TimeoutError("no answer")

    work()

    assert server.tries == 1
    assert len(set(Mail.objects.values_list("due_at", flat=True))) == 1


def test_before_its_pause_is_over_nothing_is_tried(
    owner: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = told(owner)
    server.failing = ConnectionRefusedError("nobody listens")
    work()

    after(mail, monkeypatch, seconds=5)

    assert server.tries == 1


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no such mailbox")}), "FAILED"),
        (smtplib.SMTPRecipientsRefused({"ada@example.org": (450, b"come back later")}), "WAITING"),
        (smtplib.SMTPDataError(554, b"spam"), "FAILED"),
        (smtplib.SMTPDataError(451, b"busy"), "WAITING"),
        (smtplib.SMTPAuthenticationError(535, b"wrong password"), "WAITING"),
        (smtplib.SMTPSenderRefused(553, b"not allowed", "regatta@example.org"), "WAITING"),
    ],
)
def test_what_is_refused_for_good_is_given_up_at_once(owner: User, server: Server, said: Exception, state: str) -> None:
    mail = told(owner)
    server.failing = said

    work()

    mail.refresh_from_db()
    assert mail.state == state
    assert type(said).__name__ in mail.error


def test_one_bad_address_holds_up_nobody_else(owner: User, server: Server) -> None:
    told(owner)
    server.failing = smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no such mailbox")})
    work()
    server.failing = None
    other = User.objects.create_user("bob", "bob@example.org", "a long enough password")
    told(other, "two")

    work()

    assert [one.to for one in posted.outbox] == [["bob@example.org"]]


def test_a_worker_that_dies_in_the_middle_loses_nothing(
    owner: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = told(owner)
    server.failing = SystemExit()  # nothing after the try is done: as by kill -9
    with pytest.raises(SystemExit):
        work()
    server.failing = None
    mail.refresh_from_db()
    assert (mail.state, mail.attempt) == ("WAITING", 1)

    after(mail, monkeypatch, minutes=10)

    assert mail.state == "SENT"
    assert [one.extra_headers["Message-ID"] for one in posted.outbox] == [f"<notice-{mail.notice_id}@127.0.0.1>"]


def test_a_job_that_failed_with_the_database_is_asked_for_again(
    owner: User, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = told(owner)
    Job.objects.update(state="FAILED", fault="platform", attempt=5)

    after(mail, monkeypatch, seconds=1)

    assert mail.state == "SENT"


def test_old_news_is_not_sent(owner: User, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = told(owner)

    after(mail, monkeypatch, seconds=FRESH.total_seconds() + 1)

    assert (mail.state, server.tries) == ("FAILED", 0)


def test_a_closed_account_gets_none(owner: User, server: Server) -> None:
    told(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)

    work()

    assert (Mail.objects.get().state, server.tries) == ("FAILED", 0)


def test_staff_see_what_was_given_up_and_send_it_again(client: Client, owner: User, server: Server) -> None:
    mail = told(owner)
    server.failing = smtplib.SMTPDataError(554, b"we do not know you")
    work()
    server.failing = None
    client.force_login(User.objects.create_superuser("harbourmaster", "h@example.org", "a long enough password"))

    page = client.get("/admin/notifications/mail/?state__exact=FAILED").content.decode()
    client.post("/admin/notifications/mail/", {"action": "send_again", "_selected_action": [mail.pk]})
    work()

    assert "we do not know you" in page
    assert 'regatta_mails{state="SENT"} 1' in client.get("/metrics").content.decode()
    assert len(posted.outbox) == 1
    mail.refresh_from_db()
    assert not send_again(mail, timezone.now())


def test_the_inbox_tells_what_became_of_the_mail(client: Client, owner: User, server: Server) -> None:
    told(owner)
    client.force_login(owner)
    server.failing = ConnectionRefusedError("nobody listens")
    work()
    waiting = client.get("/inbox/").content.decode()
    Mail.objects.update(state="FAILED")

    failed = client.get("/inbox/").content.decode()

    assert "mail is tried again" in waiting
    assert "mail did not go out" in failed
    assert "nobody listens" not in waiting + failed
