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
    columns = sorted(counted.values_list("model__name", "values_sha256"))
    values = [np.frombuffer(artifacts.get(sha256), dtype=np.float32) for _, sha256 in columns]
    panel = np.stack(values, axis=1) if values else np.empty((round.universe_size, 0), np.float32)
    buffer = io.BytesIO()
    np.save(buffer, panel)
    return round.move(
        Round.Status.OPEN, Round.Status.CLOSED, panel_sha256=artifacts.put(buffer.getvalue()),
        panel_models=[name for name, _ in columns], sealed_at=now,
        stakes={name: str(amount) for name, amount in stakes(round.tournament_id).items() if amount > 0},
    )  # fmt: skip


@lru_cache(maxsize=64)
def read_panel(panel_sha256: str) -> NDArray[np.float32]:
    """The sealed panel of that hash (assets x models)."""
    return np.asarray(np.load(io.BytesIO(artifacts.get(panel_sha256))))
