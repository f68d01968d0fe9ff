"""A tournament's rules as data: every number that a round, a score or a payout depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tournament.errors import BadConfig, Fault


@dataclass(frozen=True, slots=True)
class Rules:
    """Checked rules; days are trading days unless a name says otherwise."""

    cadence_days: int = 5
    opens_hour_utc: int = 22
    window_hours: int = 40
    horizon_days: int = 20
    lag_days: int = 2
    embargo_rounds: int = 1
    corr_multiplier: float = 0.5
    mmc_multiplier: float = 2.0
    payout_clip: float = 0.05
    payout_factor: float = 1.0
    starting_points: float = 1000.0
    default_stake: float = 100.0
    max_upload_bytes: int = 20_000_000
    submissions_per_round: int = 50
    leaderboard_window_rounds: int = 52
    warmup_rounds: int = 60
    retrain_every_rounds: int = 40
    training_seconds: float = 3600.0
    """Wall time that one selector's network may train, all attempts together; what checked best by then is kept."""
    novelty_limit: float = 1.5
    """Where the market is farther than this from all that the champion was trained on, a committee weighs the round; in
    units of the edge of the known (tournament/regimes/novelty.py)."""
    stickiness: float = 0.0
    """Penalty on changes of the meta-model's weights from round to round; 0: none."""
    contributor_cap: float = 1.0
    """Share of the meta-model's weight that one contributor's models may have together; 1: all of it."""
    duplicate_corr: float = 0.95
    """Models of a round whose rank correlation is above this share one weight budget; 1: duplicates are none."""
    predictor_rounds: int = 104
    """Rounds between two trainings of the platform's own predictors, which are fine-tuned in every one; 0: none."""

    def __post_init__(self) -> None:
        """Refuse impossible values, all at once."""
        faults = [
            Fault("rule_value", f"rules: {rule.name} is {getattr(self, rule.name)}", hint)
            for rule in fields(self)
            if (hint := _refusal(rule.name, getattr(self, rule.name), whole=type(rule.default) is int))
        ]
        if faults:
            raise BadConfig(faults)

    @property
    def overlap_rounds(self) -> int:
        """How many consecutive rounds share days of their targets."""
        return -(-self.horizon_days // self.cadence_days)

    @property
    def resolve_rounds(self) -> int:
        """How many rounds after a round opens its target is known."""
        return -(-(self.horizon_days + self.lag_days) // self.cadence_days)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rules:
        """Rules from stored data. Raises BadConfig naming every unknown key and wrong type."""
        known = {rule.name: rule for rule in fields(cls)}
        faults = [
            Fault("unknown_rule", f"rules: unknown key {key!r}", f"known keys: {', '.join(known)}")
            for key in values
            if key not in known
        ]
        faults += [
            Fault("rule_type", f"rules: {key} is {value!r}", "give a number")
            for key, value in values.items()
            if key in known and (isinstance(value, bool) or not isinstance(value, int | float))
        ]
        if faults:
            raise BadConfig(faults)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        return asdict(self)


MAY_BE_ZERO = frozenset(
    (
        "lag_days", "embargo_rounds", "opens_hour_utc", "corr_multiplier", "mmc_multiplier", "predictor_rounds",
        "stickiness",
    )
)  # fmt: skip
AT_MOST = {"opens_hour_utc": 23, "contributor_cap": 1}


def _refusal(name: str, value: float, *, whole: bool) -> str:
    """What to give instead; empty for a value that can be. A wait below none would show what is not known yet."""
    if not math.isfinite(value):  # the database's JSON has no other
        return "give a finite number"
    if value < 0 or (value == 0 and name not in MAY_BE_ZERO):
        return "give zero or more" if name in MAY_BE_ZERO else "give a number above zero"
    if whole and not isinstance(value, int):
        return "give a whole number"
    return f"give {AT_MOST[name]} or less" if value > AT_MOST.get(name, value) else ""
