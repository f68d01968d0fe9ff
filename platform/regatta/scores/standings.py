"""Where one model stood on every board, read by the database from the stored boards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from regatta.submissions.models import ContributedModel

NEWEST_BOARDS = 400
STANDINGS = """
SELECT as_of, corr, rank, mmc, mmc_rank, fnc, fnc_rank FROM (
    SELECT board.as_of, line->>'model' AS model, (line->>'corr')::float AS corr, (line->>'rank')::int AS rank,
        (line->>'mmc')::float AS mmc, (line->>'fnc')::float AS fnc,
        rank() OVER (PARTITION BY board.id ORDER BY (line->>'mmc')::float DESC NULLS LAST) AS mmc_rank,
        rank() OVER (PARTITION BY board.id ORDER BY (line->>'fnc')::float DESC NULLS LAST) AS fnc_rank
    FROM (SELECT id, as_of, rows FROM scores_leaderboard WHERE tournament_id = %s AND as_of <= %s
        ORDER BY as_of DESC LIMIT %s) AS board, jsonb_array_elements(board.rows) AS line
) AS lines WHERE model = %s ORDER BY as_of DESC
"""


@dataclass(frozen=True, slots=True)
class DayStanding:
    """Mean scores over the board's window, and the ranks that they gave; None where there is no score."""

    as_of: datetime
    corr: float | None
    corr_rank: int | None
    mmc: float | None
    mmc_rank: int | None
    fnc: float | None
    fnc_rank: int | None


def standings_of(model: ContributedModel) -> list[DayStanding]:
    """The model's lines on the boards of its tournament, newest first."""
    now = model.tournament.now()
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS, [model.tournament_id, now, NEWEST_BOARDS, model.name])
        rows = cursor.fetchall()
    return [
        DayStanding(
            as_of, corr, rank, mmc, None if mmc is None else mmc_rank, fnc, None if fnc is None else fnc_rank
        )
        for as_of, corr, rank, mmc, mmc_rank, fnc, fnc_rank in rows
    ]  # fmt: skip
