"""A study that can score nothing says so, and leaves nothing behind."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.tournament import archives


def test_an_archive_without_known_targets_cannot_be_studied(tmp_path: Path) -> None:
    folder = archives.write(tmp_path / "archive")
    for path in (folder / "targets").iterdir():
        path.unlink()

    with pytest.raises(CommandError, match="nothing can be scored; give fewer --warmup-rounds") as caught:
        call_command(
            "evaluate_selectors", str(folder), selectors="equal", warmup_rounds=2, out=tmp_path / "study",
            stdout=StringIO(),
        )  # fmt: skip

    assert caught.value.returncode == 2
    assert not (tmp_path / "study").exists()
