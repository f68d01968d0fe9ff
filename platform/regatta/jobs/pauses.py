"""How long to wait before what the outside world did not take is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 21_600))
"""After the first try, the second ...; a seventh failure is the last."""
LAST_PAUSE = timedelta(hours=1)
"""When a last try is looked at again whose worker was lost."""


def next_try(attempt: int, now: datetime) -> datetime:
    """When to look again at what is tried now, `attempt` tries having gone before."""
    return now + (PAUSES[attempt] if attempt < len(PAUSES) else LAST_PAUSE)


def is_last(attempt: int) -> bool:
    """Whether no try follows the one that `attempt` have gone before."""
    return attempt >= len(PAUSES)
