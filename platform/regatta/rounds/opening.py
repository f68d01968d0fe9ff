"""Open a round: freeze its universe, features and context."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from regatta import artifacts
from regatta.rounds.models import Round
from regatta.rounds.prices import id_key, known_prices, row_of
from tournament.markets import dataset as datasets
from tournament.markets.context import CONTEXT_NAMES, context_matrix


def open_round(round: Round, now: datetime) -> bool:
    """Write the live file and the context, then open; whether this call opened it."""
    panel = known_prices(round.tournament, round.opens_at)
    row = row_of(panel, round.as_of)
    section = datasets.cross_section(panel, row, round.era, id_key(round.tournament))
    values = zip(CONTEXT_NAMES, map(float, context_matrix(panel, np.array([row]))[0]), strict=True)
    return round.move(
        Round.Status.SCHEDULED, Round.Status.OPEN, live_sha256=artifacts.put(datasets.parquet_bytes(section.frame())),
        universe_size=len(section.ids),
        context={name: value for name, value in values if math.isfinite(value)},
    )  # fmt: skip
