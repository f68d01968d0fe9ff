"""The meta-model: the blend of a sealed round by the weights that answer, the champion's or a stand-in's."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from regatta import artifacts
from regatta.ensemble.models import MetaModel
from regatta.rounds.models import Round
from regatta.rounds.sealing import read_panel
from tournament.scoring.blend import blend


def blend_round(round: Round, now: datetime) -> None:
    """Write the meta-model of a round, once."""
    if MetaModel.objects.filter(round=round).exists():
        return
    chosen = round.weights.get(answers=True)
    weights = np.array([chosen.weights.get(name, 0.0) for name in round.panel_models])
    values = blend(read_panel(round.panel_sha256), weights)
    MetaModel.objects.get_or_create(
        round=round,
        defaults={
            "selector": chosen.selector, "family": chosen.family, "sha256": artifacts.put(values.tobytes()),
            "effective_models": float(1.0 / (weights**2).sum()), "turnover": _turnover(round, chosen.weights),
            "known_at": now,
        },
    )  # fmt: skip


def _turnover(round: Round, weights: dict[str, float]) -> float | None:
    """Half the sum of absolute changes of weight since the round before."""
    before = MetaModel.objects.filter(round__tournament=round.tournament, round__number=round.number - 1).first()
    if before is None:
        return None
    old = before.round.weights.get(answers=True).weights
    return 0.5 * sum(abs(weights.get(name, 0.0) - old.get(name, 0.0)) for name in {*weights, *old})
