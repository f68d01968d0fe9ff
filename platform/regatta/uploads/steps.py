"""The three steps of an upload: issue a signed address, store what is put there, use it once; and sweep what was left.

Whoever puts a file may not look at the answer, so the last step trusts nothing: it reads the file back and holds size
and hash against what was recorded when the file came.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction

from regatta import artifacts
from regatta.accounts.models import User
from regatta.rounds.models import Tournament
from regatta.submissions.models import ContributedModel
from regatta.uploads.models import Upload
from tournament.errors import BadInput, Fault, printable
from tournament.predictions import too_large

LIFETIME = timedelta(minutes=30)
"""Clients give a slow connection ten minutes for the file alone."""
KEPT = timedelta(days=7)
"""How long a used upload is remembered, so that its last step may come again."""
MAX_UNFINISHED = 20
"""Uploads that one contributor may have under way."""
SALT = "regatta.uploads"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to upload, and for what."""

    owner: User
    purpose: Upload.Purpose
    original: str
    max_bytes: int
    tournament: Tournament | None = None
    model: ContributedModel | None = None


def issue(wanted: Wanted, now: datetime) -> Upload:
    """Promise a place for one file until it expires. Raises BadInput when too many are under way."""
    unfinished = Upload.objects.filter(owner=wanted.owner, expires_at__gt=now).exclude(state=Upload.State.USED)
    if unfinished.count() >= MAX_UNFINISHED:
        message = f"{MAX_UNFINISHED} uploads of yours are under way"
        raise BadInput(Fault("uploads", message, f"finish them, or wait: each ends after {LIFETIME}"))
    key = secrets.token_hex(16)
    original = printable(wanted.original)[-120:] or "upload"
    plain = _UNSAFE.sub("-", original).lstrip(".-") or "upload"
    return Upload.objects.create(
        owner=wanted.owner, tournament=wanted.tournament, model=wanted.model, purpose=wanted.purpose, key=key,
        original=original, filename=f"{secrets.token_hex(8)}-{plain}", max_bytes=wanted.max_bytes, created_at=now,
        expires_at=now + LIFETIME,
    )  # fmt: skip


def ticket(upload: Upload) -> str:
    """The signed part of the address at which the file may be put."""
    return signing.dumps(upload.pk, salt=SALT)


def of_ticket(text: str, now: datetime) -> Upload | None:
    """The upload whose ticket this is; None for a forged ticket and for one that has expired."""
    try:
        pk = signing.loads(text, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return Upload.objects.filter(pk=pk, expires_at__gt=now).first()


def store(upload: Upload, data: bytes, now: datetime) -> None:
    """Keep the file until it is used; the same bytes may come again. Raises BadInput."""
    if not 0 < len(data) <= upload.max_bytes:
        raise BadInput(
            too_large(len(data), upload.max_bytes)
            if data
            else Fault("empty_file", "the file is empty", "send it whole")
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if upload.state == Upload.State.ISSUED:
        artifacts.put_incoming(upload.key, data)
        issued = Upload.objects.filter(pk=upload.pk, state=Upload.State.ISSUED, expires_at__gt=now)
        if issued.update(state=Upload.State.STORED, size=len(data), sha256=sha256):
            return
        upload = Upload.objects.filter(pk=upload.pk).first() or upload  # another was first, or it was swept away
    if upload.sha256 != sha256:
        if not Upload.objects.filter(pk=upload.pk).exists():
            artifacts.drop_incoming(upload.key)
        raise BadInput(Fault("put_twice", "another file was put here before", "ask for a new address"))


def use(
    filename: str,
    *,
    owner: User,
    purpose: Upload.Purpose,
    model: ContributedModel,
    now: datetime,
    consume: Callable[[Upload, bytes], int],
) -> int:
    """Hand the file on, once: `consume` makes a row of it and tells its key, which later calls get again.

    Raises BadInput when nothing whole lies there, or when `consume` does; the file then stays until it expires.
    """
    with transaction.atomic():
        mine = Upload.objects.filter(owner=owner, purpose=purpose, model=model)
        upload = mine.select_for_update().filter(filename=filename).first()
        if upload is None or (upload.state != Upload.State.USED and upload.expires_at <= now):
            message = f"no upload for {model.name} is named {filename[:80]!r}, or it has expired"
            raise BadInput(Fault("no_upload", message, "ask for an address and put the file there first"))
        if upload.result_id is not None:
            return upload.result_id
        result = consume(upload, _whole(upload))
        Upload.objects.filter(pk=upload.pk).update(state=Upload.State.USED, result_id=result)
        transaction.on_commit(lambda: artifacts.drop_incoming(upload.key))
    return result


def sweep(now: datetime) -> int:
    """Forget uploads that expired before they were used, with their files, and used ones after a while; how many."""
    expired = Upload.objects.filter(state__in=[Upload.State.ISSUED, Upload.State.STORED], expires_at__lte=now)
    swept = Upload.objects.filter(state=Upload.State.USED, expires_at__lte=now - KEPT).delete()[0]
    for pk, key in list(expired.values_list("pk", "key")[:1000]):
        if expired.filter(pk=pk).delete()[0]:  # not when it was used at the last moment
            artifacts.drop_incoming(key)
            swept += 1
    return swept


def _whole(upload: Upload) -> bytes:
    """The file, just as it was recorded. Raises BadInput."""
    if upload.state == Upload.State.ISSUED:
        raise BadInput(Fault("not_put", "no file has come to the upload's address", "put the whole file there first"))
    try:
        data = artifacts.get_incoming(upload.key)
    except artifacts.MissingArtifact:
        raise BadInput(Fault("not_put", "the uploaded file is gone", "upload it again")) from None
    if len(data) != upload.size or hashlib.sha256(data).hexdigest() != upload.sha256:
        raise BadInput(Fault("not_whole", "the uploaded file is not what was sent", "upload it again"))
    return data
