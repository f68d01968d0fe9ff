"""One fixed colour per regime, the same on every page and in every tournament: it goes with the name."""

from __future__ import annotations

ORDER = ("Steady trend", "Rotation", "Stress", "Recovery")


def regime_number(name: str) -> int:
    """Which of the five regime colours a regime has; names beyond the four share the fifth."""
    return ORDER.index(name) + 1 if name in ORDER else 5


def regime_colour(name: str) -> str:
    """The CSS colour of a regime."""
    return f"var(--regime-{regime_number(name)})"
