"""What a rebalance is asked: value, risk, costs and limits. Suffixes: N assets, K factors, R linear limits.

maximise  alpha.w - aversion/2 w'(LL' + S)w - sum(cost |w - w0|) - sum(impact |w - w0|^(3/2))
subject to  least <= Aw <= most,  lower <= w <= upper,  sum |w| <= gross,  sum |w - w0| <= turnover.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadInput
from tournament.portfolio.risk import Floats, RiskModel

UNLIMITED = float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """One linear limit: least <= exposure.w <= most; equal ends make it an equality."""

    name: str
    exposure_N: Floats
    least: float = 0.0
    most: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One rebalance, in fractions of the book; `cost_N` and `impact_N` per unit traded, both zero when left out."""

    alpha_N: Floats
    risk: RiskModel
    previous_N: Floats
    lower_N: Floats
    upper_N: Floats
    aversion: float
    rows: tuple[Row, ...] = ()
    cost_N: Floats = field(default_factory=lambda: np.zeros(0))
    impact_N: Floats = field(default_factory=lambda: np.zeros(0))
    gross: float = UNLIMITED
    turnover: float = UNLIMITED

    def __post_init__(self) -> None:
        """Fill what was left out; refuse with every fault what no solver could read."""
        for name in ("cost_N", "impact_N"):
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.zeros(len(self.alpha_N)))
        faults = list(self._faults())
        if faults:
            raise BadInput("; ".join(faults))

    @property
    def assets(self) -> int:
        """How many assets there are."""
        return len(self.alpha_N)

    def value(self, weights_N: Floats) -> float:
        """The objective at a book."""
        traded_N = np.abs(weights_N - self.previous_N)
        cost = float(self.cost_N @ traded_N + self.impact_N @ (traded_N * np.sqrt(traded_N)))
        return float(self.alpha_N @ weights_N) - 0.5 * self.aversion * self.risk.variance(weights_N) - cost

    def violation(self, weights_N: Floats) -> float:
        """By how much a book breaks its worst limit; linear limits relative to their largest exposure."""
        worst = [0.0, float((self.lower_N - weights_N).max()), float((weights_N - self.upper_N).max())]
        worst += [float(np.abs(weights_N).sum()) - self.gross]
        worst += [float(np.abs(weights_N - self.previous_N).sum()) - self.turnover]
        for row in self.rows:
            exposed, size = float(row.exposure_N @ weights_N), float(np.abs(row.exposure_N).max()) or 1.0
            worst += [(exposed - row.most) / size, (row.least - exposed) / size]
        return max(worst)

    def without_trades(self, fixed_N: NDArray[np.bool_]) -> Problem:
        """The same problem with the holdings of some assets left as they are."""
        lower_N = np.where(fixed_N, self.previous_N, self.lower_N)
        return replace(self, lower_N=lower_N, upper_N=np.where(fixed_N, self.previous_N, self.upper_N))

    def _faults(self) -> Iterator[str]:
        yield from self._misshapen()
        yield from self._not_finite()
        if not self.aversion > 0 or np.isinf(self.aversion):
            yield f"aversion is {self.aversion}; expected a finite number above zero"
        for name in ("gross", "turnover"):
            if not getattr(self, name) >= 0:
                yield f"{name} is {getattr(self, name)}; expected zero or more"
        for name in ("cost_N", "impact_N"):
            if (getattr(self, name) < 0).any():
                yield f"{name} has {int((getattr(self, name) < 0).sum())} negative values"
        if self._same_length() and (self.lower_N > self.upper_N).any():
            yield f"lower_N is above upper_N for {int((self.lower_N > self.upper_N).sum())} assets"
        elif self._same_length() and ((self.risk.specific_N <= 0) & (self.lower_N < self.upper_N)).any():
            yield "specific risk must be above zero for every asset that may be traded"

    def _vectors(self) -> dict[str, Floats]:
        names = ("alpha_N", "previous_N", "lower_N", "upper_N", "cost_N", "impact_N")
        own = {name: getattr(self, name) for name in names} | {"specific_N": self.risk.specific_N}
        return own | {f"row '{row.name}'": row.exposure_N for row in self.rows}

    def _same_length(self) -> bool:
        return all(len(vector) == self.assets for vector in self._vectors().values())

    def _misshapen(self) -> Iterator[str]:
        if self.assets == 0:
            yield "there is no asset"
        for name, vector in (self._vectors() | {"loadings_NK": self.risk.loadings_NK}).items():
            if len(vector) != self.assets:
                yield f"{name} has {len(vector)} values; expected {self.assets}"

    def _not_finite(self) -> Iterator[str]:
        for name, values in (self._vectors() | {"loadings_NK": self.risk.loadings_NK}).items():
            if not np.isfinite(values).all():
                yield f"{name} has {int((~np.isfinite(values)).sum())} values that are no finite number"
        for row in self.rows:
            if not row.least <= row.most or row.least == np.inf or row.most == -np.inf:
                yield f"row '{row.name}' allows {row.least} to {row.most}"


def group_rows(groups_N: Iterable[object], *, kind: str, width: float = 0.0) -> tuple[Row, ...]:
    """One net limit of +-width for each group (sector, country) that `groups_N` names."""
    names_N = np.array([str(group) for group in groups_N])
    return tuple(
        Row(f"{kind} {name}", (names_N == name).astype(float), -width, width) for name in np.unique(names_N).tolist()
    )


def volume_limits(position: float, dollar_volume_N: Floats, *, share: float, book: float) -> Floats:
    """The most that may be held of each asset: `position`, or `share` of its daily volume if that is less."""
    return np.minimum(position, share * dollar_volume_N / book)
