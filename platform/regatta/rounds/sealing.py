"""Close a round: the last accepted submission of each model counts, and the panel is sealed by its hash."""

from __future__ import annotations

import io
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from regatta import artifacts
from regatta.rounds.models import Round
from regatta.stakes.ledger import stakes
from regatta.submissions.models import Submission


def seal(round: Round, now: datetime) -> bool:
    """Write the panel (assets x models, float32) and the stakes that count, and close; whether this call closed it."""
    counted = (
        Submission.objects.filter(round=round, status=Submission.Status.ACCEPTED, is_late=False)
        .order_by("model_id", "-id")
        .distinct("model_id")
    )
    sent = sorted(counted.values_list("model__name", "values_sha256", "model__is_experimental"))
    columns = [(name, sha256) for name, sha256, is_experimental in sent if not is_experimental]
    trials = [(name, sha256) for name, sha256, is_experimental in sent if is_experimental]
    sailing = {name: amount for name, amount in stakes(round.tournament_id).items() if name not in dict(trials)}
    return round.move(
        Round.Status.OPEN, Round.Status.CLOSED, panel_sha256=_stored(columns, round.universe_size),
        panel_models=[name for name, _ in columns], sealed_at=now,
        trial_sha256=_stored(trials, round.universe_size) if trials else "", trial_models=[name for name, _ in trials],
        stakes={name: str(amount) for name, amount in sailing.items() if amount > 0},
    )  # fmt: skip


def _stored(columns: list[tuple[str, str]], assets: int) -> str:
    """The hash of a panel (assets x models, float32) of these files."""
    values = [np.frombuffer(artifacts.get(sha256), dtype=np.float32) for _, sha256 in columns]
    panel = np.stack(values, axis=1) if values else np.empty((assets, 0), np.float32)
    buffer = io.BytesIO()
    np.save(buffer, panel)
    return artifacts.put(buffer.getvalue())


@lru_cache(maxsize=64)
def read_panel(panel_sha256: str) -> NDArray[np.float32]:
    """The sealed panel of that hash (assets x models)."""
    return np.asarray(np.load(io.BytesIO(artifacts.get(panel_sha256))))
