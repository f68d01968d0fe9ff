"""What a book must keep to and what it pays; apart from the solver, so that whoever only shows them loads none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tournament.errors import BadConfig, Fault


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the book as fractions of its value."""

    gross: float = 1.0
    position: float = 0.02
    net: float = 0.0
    turnover: float = 0.5
    beta_neutral: bool = True
    aversion: float = 20.0

    def __post_init__(self) -> None:
        """Refuse limits that no book can meet on their own."""
        wrong = {name: "give more than 0" for name in ("gross", "position", "turnover", "aversion")
                 if getattr(self, name) <= 0}  # fmt: skip
        if abs(self.net) > self.gross:
            wrong["net"] = f"give no more than gross, which is {self.gross}, long or short"
        if wrong:
            raise BadConfig([Fault("limit", f"limit {name} is {getattr(self, name)}", wrong[name]) for name in wrong])

    def widened_for(self, assets: int) -> Limits:
        """The same limits with a position limit that a small universe can fill: at least 2.5 times the even share."""
        return replace(self, position=max(self.position, min(1.0, 2.5 * self.gross / max(1, assets))))


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading and holding cost, as fractions."""

    half_spread: float = 0.0005
    borrow_per_year: float = 0.005
