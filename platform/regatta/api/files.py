"""Stored files as answers: whole or in part, so that a broken download goes on where it stopped."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

from regatta import artifacts

KINDS = {"parquet": "application/vnd.apache.parquet", "json": "application/json", "csv": "text/csv"}
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def file_answer(request: HttpRequest, sha256: str, name: str) -> HttpResponse:
    """The stored file under the name: GET and HEAD, one range of bytes, and 304 when the reader has it."""
    etag, size = f'"{sha256}"', artifacts.size(sha256)
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    start, stop = _asked(request, size, etag)
    if stop <= start and size:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    data = b"" if request.META["REQUEST_METHOD"] == "HEAD" else _bytes(sha256, start, stop, size)
    answer = HttpResponse(data, content_type=KINDS.get(name.rsplit(".", 1)[-1], "application/octet-stream"))
    answer["Content-Length"] = str(stop - start)
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    if stop - start < size:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return answer


def _bytes(sha256: str, start: int, stop: int, size: int) -> bytes:
    return artifacts.get(sha256) if stop - start == size else artifacts.part(sha256, start, stop)


def _asked(request: HttpRequest, size: int, etag: str) -> tuple[int, int]:
    """First byte and the one after the last of what is asked for; the whole file where the range cannot be honoured."""
    asked = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if asked is None or asked[0] == "bytes=-" or request.headers.get("If-Range", etag) != etag:
        return 0, size
    first, last = asked.groups()
    if not first:  # the last so many bytes
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
