"""Stored files, named by the SHA-256 of their bytes; the only module that touches them.

A file is written under a temporary name, forced to disk and renamed, so a name that exists is always whole.
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
        _write(name, data)
    return name


def get(name: str) -> bytes:
    """The bytes of that name. Raises MissingArtifact."""
    if _bucket() is None:
        try:
            return _path(name).read_bytes()
        except FileNotFoundError:
            raise MissingArtifact(f"no stored file {name}") from None
    with _bucket().open(_key(name), "rb") as stored:
        return bytes(stored.read())


def remove(name: str) -> None:
    """Forget the bytes of that name, if they are stored: only for what no row but the caller's can name."""
    if _bucket() is None:
        _path(name).unlink(missing_ok=True)
    else:
        _bucket().delete(_key(name))


def exists(name: str) -> bool:
    """Whether a whole file of that name is stored."""
    return _path(name).exists() if _bucket() is None else bool(_bucket().exists(_key(name)))


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


def _write(name: str, data: bytes) -> None:
    if _bucket() is not None:
        from django.core.files.base import ContentFile

        _bucket().save(_key(name), ContentFile(data))
        return
    path = _path(name)
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


def _path(name: str) -> Path:
    return Path(urlparse(settings.STORAGE_URL).path) / _key(name)


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
