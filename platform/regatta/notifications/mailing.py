"""Send a notice by mail, at most once."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from regatta.notifications.models import Notice


def send(notice_id: int, now: datetime) -> bool:
    """Mail a notice to its owner; False when it has gone out before, or the owner cannot be reached any more.

    It is marked before it goes out: a worker that dies between the two loses the mail, and the inbox still has it.
    What the mail server refuses is raised, and the notice may be sent again.
    """
    waiting = Notice.objects.filter(pk=notice_id, mailed_at=None, owner__is_active=True)
    if not waiting.update(mailed_at=now):
        return False
    notice = Notice.objects.select_related("owner").get(pk=notice_id)
    try:
        _mail(notice).send()
    except Exception:
        Notice.objects.filter(pk=notice_id).update(mailed_at=None)
        raise
    return True


def _mail(notice: Notice) -> EmailMessage:
    body = (
        f"{notice.text}\n\n{settings.REGATTA_SITE}{notice.link}\n\nWhat you are told: {settings.REGATTA_SITE}/inbox/\n"
    )
    host = urlsplit(settings.REGATTA_SITE).hostname or "localhost"
    headers = {"Message-ID": f"<notice-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(f"Regatta: {notice.title}", body, to=[notice.owner.email], headers=headers)
