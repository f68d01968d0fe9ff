"""A stored book solved again for who asks why, or what if; answers are kept by what they hang on: asking is cheap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from regatta import artifacts
from tournament.errors import Infeasible
from tournament.portfolio.explanation import Explained, Worth, explain, worth
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.limits import Limits
from tournament.portfolio.premises import Premises, unpacked
from tournament.portfolio.what_if import Alternative, what_if


@dataclass(frozen=True, slots=True)
class Reasons:
    """A book taken apart, what it is expected to bring, and what its limits would bring if wider."""

    premises: Premises
    explained: Explained
    worth: Worth
    prices: dict[str, float]


@lru_cache(maxsize=16)
def reasons(premises_sha256: str) -> Reasons | None:
    """Why the book of these premises is as it is; None for one that the cone solver had to find."""
    premises = unpacked(artifacts.get(premises_sha256))
    try:
        solution = solve(premises.problem())
    except (NotConverged, Infeasible):
        return None
    gain = worth(solution.problem, solution.weights_N)
    return Reasons(premises, explain(solution), gain, solution.shadow_prices())


@lru_cache(maxsize=256)
def alternative(premises_sha256: str, limits: Limits) -> Alternative:
    """The book of these premises beside the one under other limits. Raises Infeasible, naming the limits."""
    return what_if(unpacked(artifacts.get(premises_sha256)), limits)
