"""The server's own checks, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regatta_client.rows import read_bytes, read_live, read_validation
from regatta_client.running import run
from tournament.predictions import Checked, check
from tournament.rules import Rules
from tournament.scoring.diagnostics import diagnose
from workers.sandbox.runner import Answer
from workers.sandbox.trial import answer_twice


@dataclass(frozen=True, slots=True)
class GoodModel:
    """A model file that was found good: its answer on the validation eras, and what that is worth (plain figures)."""

    answer: Answer
    figures: dict[str, Any]


def check_predictions(path: Path, live: Path) -> Checked:
    """Hold a file of predictions against a round's live file, as the server does. Raises BadInput for another file."""
    return check(read_bytes(path), path.name, read_live(live).ids)


def check_model(path: Path, validation: Path) -> GoodModel:
    """Check a model file as the server does at its upload: run twice on the validation eras. Raises BadModel.

    The server takes the newest 400,000 rows and knows each era's regime besides; scores are the same.
    """
    data = read_bytes(path)
    known, work = read_validation(validation)
    answer = answer_twice(lambda seed: run(data, work, seed=seed), work)
    return GoodModel(answer, diagnose(answer.values, known, overlap=Rules().overlap_rounds).plain())
