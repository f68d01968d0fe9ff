"""Stored files, named by the SHA-256 of their bytes; the only module that touches them.

A file is written under a temporary name, forced to disk and renamed, so a name that exists is always whole.
What strangers send waits under `incoming/`, by a random key, until it is taken in or swept away.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from django.conf import settings


class MissingArtifact(LookupError):
    """No file of that name is stored."""


def put(data: bytes) -> str:
    """Store bytes and return their SHA-256; storing the same bytes again changes nothing."""
    name = hashlib.sha256(data).hexdigest()
    if not exists(name):
        _write(_key(name), data)
    return name


def get(name: str) -> bytes:
    """The bytes of that name. Raises MissingArtifact."""
    return _read(_key(name))


def remove(name: str) -> None:
    """Forget the bytes of that name, if they are stored: only for what no row but the caller's can name."""
    if _bucket() is None:
        _path(_key(name)).unlink(missing_ok=True)
    else:
        _bucket().delete(_key(name))


def exists(name: str) -> bool:
    """Whether a whole file of that name is stored."""
    return _path(_key(name)).exists() if _bucket() is None else bool(_bucket().exists(_key(name)))


def size(name: str) -> int:
    """How many bytes the file of that name has. Raises MissingArtifact."""
    try:
        return _path(_key(name)).stat().st_size if _bucket() is None else int(_bucket().size(_key(name)))
    except FileNotFoundError:
        raise MissingArtifact(f"no stored file {name}") from None


def part(name: str, start: int, stop: int) -> bytes:
    """The bytes from `start` up to `stop` of the file of that name. Raises MissingArtifact."""
    if _bucket() is not None:
        return _part_of_object(_key(name), start, stop)
    try:
        with _path(_key(name)).open("rb") as file:
            file.seek(start)
            return file.read(stop - start)
    except FileNotFoundError:
        raise MissingArtifact(f"no stored file {name}") from None


def put_incoming(key: str, data: bytes) -> None:
    """Keep what a stranger sent under a key of ours; what lay there is replaced."""
    _write(_incoming(key), data)


def get_incoming(key: str) -> bytes:
    """What was sent under that key. Raises MissingArtifact."""
    return _read(_incoming(key))


def drop_incoming(key: str) -> None:
    """Forget what was sent under that key; nothing happens where nothing is."""
    if _bucket() is None:
        _path(_incoming(key)).unlink(missing_ok=True)
    else:
        _bucket().delete(_incoming(key))


def check() -> None:
    """Ask the storage for a file that nobody has. Raises OSError when it does not answer."""
    if _bucket() is None:
        exists("0" * 64)
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        exists("0" * 64)
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from None


def _part_of_object(key: str, start: int, stop: int) -> bytes:
    from botocore.exceptions import ClientError

    try:
        stored = _bucket().bucket.Object(key).get(Range=f"bytes={start}-{stop - 1}")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchKey":
            raise
        raise MissingArtifact(f"no stored file {key}") from None
    return bytes(stored["Body"].read())


def _read(key: str) -> bytes:
    if _bucket() is None:
        try:
            return _path(key).read_bytes()
        except FileNotFoundError:
            raise MissingArtifact(f"no stored file {key}") from None
    try:
        with _bucket().open(key, "rb") as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        raise MissingArtifact(f"no stored file {key}") from None


def _write(key: str, data: bytes) -> None:
    if _bucket() is not None:
        from django.core.files.base import ContentFile

        _bucket().save(key, ContentFile(data))
        return
    path = _path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as fresh:
        fresh.write(data)
        fresh.flush()
        if settings.REGATTA_DURABLE:
            os.fsync(fresh.fileno())
    os.replace(fresh.name, path)


def _key(name: str) -> str:
    if len(name) != 64 or not all(letter in "0123456789abcdef" for letter in name):
        raise MissingArtifact(f"{name!r} is not the SHA-256 of a stored file")
    return f"{name[:2]}/{name}"


def _incoming(key: str) -> str:
    if len(key) != 32 or not all(letter in "0123456789abcdef" for letter in key):
        raise MissingArtifact(f"{key!r} is no key of an incoming file")
    return f"incoming/{key}"


def _path(key: str) -> Path:
    return Path(urlparse(settings.STORAGE_URL).path) / key


@lru_cache(maxsize=1)
def _bucket() -> Any:
    """The S3 bucket of STORAGE_URL, or None for a local folder."""
    parts = urlparse(settings.STORAGE_URL)
    if parts.scheme != "s3":
        return None
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    patience = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3})
    endpoint = parse_qs(parts.query).get("endpoint", [None])[0]
    return S3Storage(
        bucket_name=parts.netloc, endpoint_url=endpoint, file_overwrite=True, default_acl=None, client_config=patience
    )
