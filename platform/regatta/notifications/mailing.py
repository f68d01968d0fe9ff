"""Send notices by mail: promised once, tried with growing pauses, given up at last, sent again when staff ask.

A try is counted before it is made, so no two workers make the same one. A worker that dies while it hands a mail over
leaves it open whether the server took it: it is tried again, under the same Message-ID, by which programs know a mail
that they have.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from regatta.jobs.flow import enqueue, retry
from regatta.jobs.models import Job
from regatta.jobs.pauses import is_last, next_try
from regatta.notifications.models import Mail, Notice
from tournament.errors import printable

FINAL = 500
"""From this on a mail server means what it says: no such mailbox, or not this mail."""
MAILS_FAULTS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError)
"""What is wrong with one mail; all else is wrong with the server, or the way to it."""
FRESH = timedelta(days=1)
"""For how long a mail is worth sending."""
log = logging.getLogger(__name__)


def promise(notice: Notice, now: datetime) -> Mail:
    """Promise to mail a new notice."""
    mail = Mail.objects.create(notice=notice, due_at=now, created_at=now)
    _ask(mail, now)
    return mail


def _ask(mail: Mail, now: datetime) -> None:
    payload = {"mail": mail.pk, "attempt": mail.attempt}
    job = enqueue("send_mail", Job.Queue.IO, payload, now=now, key=f"mail:{mail.pk}:{mail.due_at}")
    retry(job, now=now)  # the job itself may have failed, with the database


def send(mail_id: int, attempt: int, now: datetime) -> str:
    """Try a mail; what came of it. A try that was begun before is not begun again."""
    mine = Mail.objects.filter(pk=mail_id, state=Mail.State.WAITING, attempt=attempt, due_at__lte=now)
    if not mine.update(attempt=attempt + 1, tried_at=now, due_at=next_try(attempt, now)):
        return "done before"
    mail = Mail.objects.select_related("notice__owner").get(pk=mail_id)
    error, is_final = _try(mail, now)
    state = Mail.State.SENT
    if error:
        state = Mail.State.FAILED if is_final or is_last(attempt) else Mail.State.WAITING
        log.warning("%s, try %s: %s", mail, attempt + 1, error)
    due_at = mail.due_at if state == Mail.State.WAITING else None
    Mail.objects.filter(pk=mail_id, attempt=attempt + 1).update(state=state, error=error, due_at=due_at)
    return state.value


def _try(mail: Mail, now: datetime) -> tuple[str, bool]:
    """Why the mail did not go out (empty: it did), and whether another try would be in vain."""
    if not mail.notice.owner.is_active:
        return "the account is closed", True
    if now - mail.created_at > FRESH:
        return "it could not be sent within a day", True
    try:
        _mail(mail.notice).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a header that cannot be written
        if not isinstance(error, MAILS_FAULTS):
            _postpone_others(mail, now)
        return printable(f"{type(error).__name__}: {error}")[:500], _is_final(error)
    return "", False


def _postpone_others(mail: Mail, now: datetime) -> None:
    """Let all other mails wait as long as this one: were each to wait for a dead server, rounds would wait for them."""
    others = Mail.objects.filter(state=Mail.State.WAITING, due_at__lte=now).exclude(pk=mail.pk)
    others.update(due_at=mail.due_at)


def _is_final(error: Exception) -> bool:
    """Whether the server refused this mailbox or this mail for good; what it says of the sender staff can mend."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= FINAL for code, _ in error.recipients.values())
    return isinstance(error, ValueError) or (isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= FINAL)


def sweep(now: datetime) -> int:
    """Ask anew for mails whose pause is over; how many."""
    due = list(Mail.objects.filter(state=Mail.State.WAITING, due_at__lte=now).order_by("due_at")[:200])
    for mail in due:
        _ask(mail, now)
    return len(due)


def send_again(mail: Mail, now: datetime) -> bool:
    """Try a mail once more that was given up; False for one that was not."""
    failed = Mail.objects.filter(pk=mail.pk, state=Mail.State.FAILED)
    with transaction.atomic():
        if not failed.update(state=Mail.State.WAITING, due_at=now, created_at=now):
            return False
        mail.refresh_from_db()
        _ask(mail, now)
    return True


def _mail(notice: Notice) -> EmailMessage:
    body = (
        f"{notice.text}\n\n{settings.REGATTA_SITE}{notice.link}\n\nWhat you are told: {settings.REGATTA_SITE}/inbox/\n"
    )
    host = urlsplit(settings.REGATTA_SITE).hostname or "localhost"
    headers = {"Message-ID": f"<notice-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(f"Regatta: {notice.title}", body, to=[notice.owner.email], headers=headers)
