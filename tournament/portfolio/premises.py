"""What a book was chosen from, kept so that it can be solved again: explained, differentiated and asked what if.

Suffixes: N assets, K factors. Stored without loss: the same premises give the same book to the bit.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace

import numpy as np

from tournament.errors import BadInput
from tournament.portfolio.kernel.problem import Problem, Row
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.risk import Floats, RiskModel


@dataclass(frozen=True, slots=True)
class Premises:
    """All that one rebalance hangs on, in the order of `ids`; alpha = scale x standardised signal."""

    ids: tuple[str, ...]
    alpha_N: Floats
    scale_N: Floats
    risk: RiskModel
    previous_N: Floats
    limits: Limits
    costs: Costs
    beta_N: Floats | None = None

    def problem(self) -> Problem:
        """The rebalance as the kernel takes it."""
        return problem_of(self.alpha_N, self.risk, self.previous_N, self.limits, self.costs, beta_N=self.beta_N)

    def within(self, limits: Limits) -> Premises:
        """The same premises under other limits."""
        return replace(self, limits=limits)

    def packed(self) -> bytes:
        """As bytes; the same premises give the same."""
        arrays = {
            "alpha": self.alpha_N, "scale": self.scale_N, "loadings": self.risk.loadings_NK,
            "specific": self.risk.specific_N, "previous": self.previous_N,
        }  # fmt: skip
        if self.beta_N is not None:
            arrays["beta"] = self.beta_N
        rules = json.dumps({"limits": asdict(self.limits), "costs": asdict(self.costs)}, sort_keys=True)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, ids=np.array(self.ids), rules=np.array(rules), **arrays)
        return buffer.getvalue()


def unpacked(data: bytes) -> Premises:
    """Premises of bytes that `packed` wrote. Raises BadInput."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            rules = json.loads(str(stored["rules"]))
            return Premises(
                tuple(map(str, stored["ids"])), stored["alpha"], stored["scale"],
                RiskModel(stored["loadings"], stored["specific"]), stored["previous"], Limits(**rules["limits"]),
                Costs(**rules["costs"]), stored["beta"] if "beta" in stored.files else None,
            )  # fmt: skip
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BadInput(f"these bytes are no premises of a book: {error}") from None


def problem_of(
    alpha_N: Floats,
    risk: RiskModel,
    previous_N: Floats,
    limits: Limits,
    costs: Costs,
    *,
    beta_N: Floats | None = None,
    held_N: np.ndarray | None = None,
) -> Problem:
    """The rebalance of a book under limits and costs; assets outside `held_N` are sold."""
    assets = len(alpha_N)
    position_N = np.where(np.ones(assets, dtype=bool) if held_N is None else held_N, limits.position, 0.0)
    rows = [Row("net", np.ones(assets), limits.net, limits.net)]
    if limits.beta_neutral and beta_N is not None:
        rows.append(Row("beta", beta_N))
    return Problem(
        alpha_N, risk, previous_N, -position_N, position_N, limits.aversion, tuple(rows),
        cost_N=np.full(assets, costs.half_spread), gross=limits.gross, turnover=limits.turnover,
    )  # fmt: skip
