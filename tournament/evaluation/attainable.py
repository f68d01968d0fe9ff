"""How much of what is attainable selectors reach in a simulated world, measured free of noise.

Shape suffixes: R rounds, M models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tournament.evaluation.statistics import bootstrap_means
from tournament.evaluation.study import RIVAL, Study
from tournament.selectors.protocol import Floats
from tournament.worlds.truth import Truth, informed_weights, oracle_weights


@dataclass(frozen=True)
class Attainable:
    """Expected corr by round of equal weight, of the informed filter (all known but the regime) and of the oracle."""

    truth: Truth
    equal_R: Floats
    informed_R: Floats
    oracle_R: Floats
    block: int
    seed: int

    def share(self, expected_R: Floats) -> tuple[float, float]:
        """Share of the gap from equal weight to the informed filter that a selector closes, and its standard error.

        Ratio of means over rounds; its error is that of mean(gain - share gap) / mean(gap), by block bootstrap.
        NaN where there is no gap.
        """
        gain_R, gap_R = expected_R - self.equal_R, self.informed_R - self.equal_R
        known = np.isfinite(gain_R) & np.isfinite(gap_R)
        gap = float(gap_R[known].mean()) if known.any() else 0.0
        if gap <= 0:
            return float("nan"), float("nan")
        share = float(gain_R[known].mean()) / gap
        rest_R = gain_R[known] - share * gap_R[known]
        return share, float(bootstrap_means(rest_R, block=self.block, seed=self.seed).std()) / gap

    @cached_property
    def ceiling(self) -> float:
        """Share of the gap from equal weight to the regime oracle that the informed filter itself closes."""
        gap = float(np.nanmean(self.oracle_R - self.equal_R))
        return float(np.nanmean(self.informed_R - self.equal_R)) / gap if gap > 0 else float("nan")

    def figures(self) -> dict[str, object]:
        """Plain data for report.json."""
        return {
            "equal": float(np.nanmean(self.equal_R)), "informed_bayes": float(np.nanmean(self.informed_R)),
            "regime_oracle": float(np.nanmean(self.oracle_R)), "informed_share_of_oracle_gap": self.ceiling,
            "law": "as written in truth/" if self.truth.law is not None else "estimated from the true regimes",
        }  # fmt: skip


def attainable(study: Study, truth: Truth) -> Attainable:
    """What could be reached in the rounds that the study weighed."""
    history, rows = study.history, range(study.config.warmup_rounds, len(study.history))
    informed, oracle = (weights(truth, history, rows) for weights in (informed_weights, oracle_weights))
    return Attainable(
        truth, truth.expected_corr(study.runs[RIVAL].weights_RM), truth.expected_corr(informed),
        truth.expected_corr(oracle), 2 * study.overlap, study.config.seed,
    )  # fmt: skip
