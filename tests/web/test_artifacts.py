"""Stored files are whole, immutable and named by their hash."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regatta import artifacts


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.STORAGE_URL = tmp_path.as_uri()
    artifacts._bucket.cache_clear()
    yield tmp_path
    artifacts._bucket.cache_clear()


def test_bytes_come_back_under_their_hash() -> None:
    name = artifacts.put(b"a panel")

    assert name == hashlib.sha256(b"a panel").hexdigest()
    assert artifacts.get(name) == b"a panel"


def test_the_same_bytes_are_stored_once(folder: Path) -> None:
    artifacts.put(b"a panel")
    artifacts.put(b"a panel")

    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


def test_a_missing_file_is_named() -> None:
    with pytest.raises(artifacts.MissingArtifact, match="0000"):
        artifacts.get("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_never_becomes_a_path(name: str) -> None:
    with pytest.raises(artifacts.MissingArtifact):
        artifacts.get(name)


def test_a_part_of_a_file_can_be_read_and_its_size_is_known() -> None:
    name = artifacts.put(b"a panel of eras")

    assert artifacts.size(name) == 15
    assert artifacts.part(name, 2, 7) == b"panel"


def test_what_comes_in_waits_under_its_key_until_it_is_dropped() -> None:
    key = "0123456789abcdef" * 2
    artifacts.put_incoming(key, b"first")
    artifacts.put_incoming(key, b"second")

    assert artifacts.get_incoming(key) == b"second"
    artifacts.drop_incoming(key)
    artifacts.drop_incoming(key)
    with pytest.raises(artifacts.MissingArtifact):
        artifacts.get_incoming(key)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 32, "0" * 64])
def test_a_key_that_is_none_of_ours_never_becomes_a_path(key: str) -> None:
    with pytest.raises(artifacts.MissingArtifact):
        artifacts.put_incoming(key, b"anything")


def test_a_removed_file_is_gone_and_may_be_removed_again() -> None:
    name = artifacts.put(b"progress of a training")

    artifacts.remove(name)
    artifacts.remove(name)

    assert not artifacts.exists(name)
