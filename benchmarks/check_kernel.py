"""Is the dual kernel right? 500 random problems, 50 to 2,000 assets, degenerate or without a book, against Clarabel.

Clarabel is asked for 1e-10, and where it fails for 1e-8. Objectives are compared relative to the size of their terms
(|alpha.w| + risk + cost). Where the two differ the dual decides which is right, without either: its value bounds every
book's from above, so a book that keeps its limits and reaches the bound is the best one. `--from` and `--to` split the
work; a problem that is judged apart, or not proven, is printed.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import sys
import warnings
from collections import Counter
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from rebalances import random_problem

from tournament.errors import Infeasible
from tournament.portfolio.kernel.solve import solve

GAP, BROKEN = 1e-8, 1e-9
LEAST_TERMS = 1e-5
"""Objectives below a tenth of a basis point of the book count as that: 1e-8 of them would be 1e-13 of the book."""
NO_BOOK = 1e-4
"""An answer of Clarabel's that breaks a limit by more is none."""


@dataclass
class Verdict:
    """One problem: what came of it, and the figures that say so (relative objective gaps, breaks of limits)."""

    kind: str
    gap: float = 0.0
    ours_to_bound: float = 0.0
    theirs_to_bound: float = 0.0
    ours_broken: float = 0.0
    theirs_broken: float = 0.0
    residual: float = 0.0
    steps: int = 0


def judge(seed):
    problem = random_problem(seed)
    try:
        ours = solve(problem)
    except Infeasible as refusal:
        kind = "refused by both" if clarabel(problem) is None else f"judged apart: {refusal}"
        return Verdict(kind)
    theirs, value = clarabel(problem), problem.value(ours.weights_N)
    size, bound = terms(problem, ours.weights_N), -ours.ascent.point.value / ours.dual.scale
    found = Verdict(
        "solved by both", ours_to_bound=abs(bound - value) / size, ours_broken=problem.violation(ours.weights_N),
        residual=ours.residual, steps=ours.ascent.steps,
    )  # fmt: skip
    if theirs is None:
        found.kind = "Clarabel fails"
        return found
    best = problem.value(theirs)
    found.gap, found.theirs_to_bound = abs(best - value) / size, (bound - best) / size
    found.theirs_broken = problem.violation(theirs)
    return found


def terms(problem, weights_N):
    """The size of the objective's terms."""
    traded_N = np.abs(weights_N - problem.previous_N)
    cost = problem.cost_N @ traded_N + problem.impact_N @ traded_N**1.5
    risk = 0.5 * problem.aversion * problem.risk.variance(weights_N)
    return max(np.abs(problem.alpha_N) @ np.abs(weights_N) + risk + cost, LEAST_TERMS)


def clarabel(problem):
    """The best book by Clarabel; None where it finds none or fails."""
    for tolerance in (1e-10, 1e-8):
        weights, asked = cone_program(problem)
        kept = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
        try:
            asked.solve(solver=cp.CLARABEL, **kept)
        except cp.error.SolverError:
            continue
        if asked.status in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE} and problem.violation(weights.value) < NO_BOOK:
            return np.asarray(weights.value)
        return None
    return None


def cone_program(problem):
    """The rebalance as cvxpy writes it, scaled so that absolute tolerances are small against it."""
    w, risk, impact = cp.Variable(problem.assets), problem.risk, problem.impact_N
    trade = w - problem.previous_N
    scale = 1e3 / float(np.median(problem.aversion * risk.specific_N))
    value = problem.alpha_N @ w - problem.cost_N @ cp.abs(trade)
    value -= 0.5 * problem.aversion * cp.sum_squares(cp.multiply(np.sqrt(risk.specific_N), w))
    if risk.loadings_NK.size:
        value -= 0.5 * problem.aversion * cp.sum_squares(risk.loadings_NK.T @ w)
    if impact.any():
        value -= impact @ cp.power(cp.abs(trade), 1.5)
    limits = [w >= problem.lower_N, w <= problem.upper_N]
    for row in problem.rows:
        if row.least == row.most:
            limits.append(row.exposure_N @ w == row.most)
            continue
        limits += [row.exposure_N @ w <= row.most] if np.isfinite(row.most) else []
        limits += [row.exposure_N @ w >= row.least] if np.isfinite(row.least) else []
    limits += [cp.norm1(w) <= problem.gross] if np.isfinite(problem.gross) else []
    limits += [cp.norm1(trade) <= problem.turnover] if np.isfinite(problem.turnover) else []
    return w, cp.Problem(cp.Maximize(scale * value), limits)


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--to", type=int, default=500, dest="end")
    asked = parser.parse_args()
    verdicts = {}
    for seed in range(asked.first, asked.end):
        verdicts[seed] = one = judge(seed)
        if one.kind.startswith("judged") or one.ours_to_bound > GAP or one.ours_broken > BROKEN:
            print(f"  problem {seed}: {one}", flush=True)
        if sys.stderr.isatty() or seed % 25 == 24:
            print(f"{seed + 1 - asked.first} problems", file=sys.stderr, flush=True)
    summary(list(verdicts.values()))


def summary(verdicts):
    print(", ".join(f"{count} {kind}" for kind, count in Counter(one.kind.split(":")[0] for one in verdicts).items()))
    solved = [one for one in verdicts if one.kind in ("solved by both", "Clarabel fails")]
    worst = {name: max(getattr(one, name) for one in solved) for name in ("ours_to_bound", "ours_broken", "residual")}
    print(f"kernel: value below the dual's bound by at most {worst['ours_to_bound']:.0e} of the terms", end="; ")
    print(f"limits broken by at most {worst['ours_broken']:.0e}; residual at most {worst['residual']:.0e}")
    both = [one for one in solved if one.kind == "solved by both"]
    near = [one for one in both if one.gap < GAP]
    print(f"of {len(both)} solved by both, {len(near)} objectives agree to {GAP:.0e}", end="; ")
    print(f"largest gap {max(one.gap for one in both):.0e}, median {np.median([one.gap for one in both]):.0e}")
    apart = [one for one in both if one.gap >= GAP]
    proven = [one for one in apart if one.ours_to_bound < GAP and one.ours_broken < BROKEN]
    short = [one for one in apart if one.theirs_to_bound > GAP]
    print(f"  of the {len(apart)} others the dual proves the kernel's book in {len(proven)}", end="; Clarabel's ")
    print(f"falls short of the bound in {len(short)} and is above what any book reaches in", end=" ")
    print(f"{sum(one.theirs_to_bound < -GAP for one in apart)}, by broken limits")
    print(f"Clarabel breaks limits by at most {max(one.theirs_broken for one in both):.0e} in all")
    print(f"steps: median {np.median([one.steps for one in solved]):.0f}, most {max(one.steps for one in solved)}")


if __name__ == "__main__":
    main()
