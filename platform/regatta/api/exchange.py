"""The signed addresses: where a file may be put, and where its owner may fetch it again."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from regatta.access import Access, Who
from regatta.api.envelope import Refusal, refuse_larger
from regatta.api.files import file_answer
from regatta.api.guard import Rule, Takes, guarded
from regatta.submissions.models import Submission
from regatta.uploads.models import Upload
from regatta.uploads.steps import of_ticket, store, ticket

FETCH_SALT = "regatta.downloads"
FETCH_WITHIN = timedelta(hours=1)


def _put(request: HttpRequest, signed: str) -> JsonResponse:
    """Keep the body as the file of the upload whose signed ticket the address bears."""
    upload = of_ticket(signed, timezone.now())
    if upload is None:
        raise Refusal(403, "no_ticket", "this address is not valid, or it has expired", "ask for a new one")
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced:
        raise Refusal(411, "no_length", "the request does not say how long it is", "send a Content-Length")
    refuse_larger(request, upload.max_bytes)
    data = request.body
    if len(data) != int(announced):
        raise Refusal(400, "not_whole", f"{len(data)} of {announced} bytes came", "put the file again")
    store(upload, data, timezone.now())
    return JsonResponse({"filename": upload.filename, "size": len(data)})


def _fetch(request: HttpRequest, signed: str) -> HttpResponse:
    """One of a contributor's own files, by an address that only its owner was given."""
    try:
        pk = signing.loads(signed, salt=FETCH_SALT, max_age=FETCH_WITHIN)
    except signing.BadSignature:
        raise Http404("this address is not valid, or it has expired") from None
    submission = get_object_or_404(Submission, pk=pk)
    return file_answer(request, submission.file_sha256, plain_name(submission))


put = guarded(_put, {"PUT": Rule(Access(Who.BEARER, of="upload", reads_key=False), Takes.FILE, cost=0)})
"""The ticket is all that counts: a key that is sent along is not looked at."""
fetch = guarded(_fetch, {"GET": Rule(Access(Who.BEARER, of="download", reads_key=False), cost=0)})


def put_address(request: HttpRequest, upload: Upload) -> str:
    """Where the file of an upload may be put."""
    return request.build_absolute_uri(reverse("put", args=[ticket(upload)]))


def fetch_address(request: HttpRequest, submission: Submission) -> str:
    """Where the file of a submission can be fetched for an hour."""
    return request.build_absolute_uri(reverse("fetch", args=[signing.dumps(submission.pk, salt=FETCH_SALT)]))


def plain_name(submission: Submission) -> str:
    """The name of the submitted file, fit for a header and for a folder of the reader's."""
    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-"
                   for letter in submission.filename)  # fmt: skip
    return name.lstrip(".-") or f"submission-{submission.pk}"
