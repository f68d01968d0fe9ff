"""From expected scores to weights: the long-only blend with the best expected corr.

max_w  mu.w / sqrt(w'(C + lambda K)w),  w on the simplex, K the diagonal of how many near copies each model has. The
maximiser is proportional to the solution of  min_v  v'(C + lambda K)v / 2 - mu.v,  v >= 0.  With K in the place of the
identity, exact clones share what one of them would get, to the last bit of everyone else's weight.
Source: ours; the reduction is Markowitz's (1952) with scores in the place of returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from tournament.selectors import algebra
from tournament.selectors.protocol import Floats, equal_weights
from tournament.selectors.sketch import Penalized, Sketch

Alike = Floats | Sketch
"""How alike models are: the table of all pairs, or beyond 2,000 models a sketch of it."""
MOST = 0.7
"""Beyond this share of a table's models it is cheaper to multiply by the others' zeros than to copy theirs out."""
RIDGE = 0.1
SQUARINGS = 6
"""Models count as copies by C^64: 1 at C = 1, a half at 0.99, next to nothing below 0.95. Six squarings make the power,
a few rows at a time: they stay in the processor's cache, and one core needs a tenth of the time for 1,000 models."""
ROWS_AT_ONCE = 64
TOLERANCE = 1e-10
PATIENCE = 3
STEPS = 1_000


def copies(correlations_MM: Alike, active_M: NDArray[np.bool_]) -> Floats:
    """How many models each model stands for, itself included (M); 1 for a model like no other."""
    if isinstance(correlations_MM, Sketch):
        return correlations_MM.copies(active_M)
    counted_M, out_M = active_M.astype(float), np.zeros(len(correlations_MM))
    for first in range(0, len(out_M), ROWS_AT_ONCE):
        last = first + ROWS_AT_ONCE
        alike = np.clip(correlations_MM[first:last, first:].astype(float), 0.0, 1.0)  # the table is symmetric
        for _ in range(SQUARINGS):
            np.multiply(alike, alike, out=alike)
        out_M[first:last] += alike @ counted_M[first:]
        out_M[last:] += counted_M[first:last] @ alike[:, ROWS_AT_ONCE:]
    if not np.isfinite(out_M).all():  # a missing correlation is none; to look for one first would cost as much again
        return copies(np.nan_to_num(correlations_MM), active_M)
    return np.maximum(out_M, 1.0)


def known(correlations_MM: Alike) -> Alike:
    """The same with missing correlations as none; a sketch has none missing."""
    return correlations_MM if isinstance(correlations_MM, Sketch) else np.nan_to_num(correlations_MM)


@overload
def among(correlations_MM: Floats, chosen: NDArray[np.intp]) -> Floats: ...
@overload
def among(correlations_MM: Sketch, chosen: NDArray[np.intp]) -> Sketch: ...
def among(correlations_MM: Alike, chosen: NDArray[np.intp]) -> Alike:
    """Rows and columns of the chosen models, always a copy; in two steps, which take half the time of one."""
    if isinstance(correlations_MM, Sketch):
        return correlations_MM.take(chosen)
    return np.asarray(correlations_MM[chosen].take(chosen, axis=1))


def rows(correlations_MM: Alike, chosen: Sequence[int]) -> Floats:
    """Rows of a few models (chosen x M)."""
    place = np.asarray(chosen, dtype=np.intp)
    return correlations_MM.rows(place) if isinstance(correlations_MM, Sketch) else correlations_MM[place]


def best_blend(
    mu_M: Floats,
    correlations_MM: Alike,
    active_M: NDArray[np.bool_],
    *,
    ridge: float = RIDGE,
    previous_M: Floats | None = None,
    stickiness: float = 0.0,
    near_M: Floats | None = None,
    copies_M: Floats | None = None,
) -> Floats:
    """Weights (M) of the best expected blend; equal weights when no model is expected to score above zero.

    `near_M` are weights thought to be near the answer, `copies_M` what `copies` says of the active models: where they
    are at hand they save time and change nothing but rounding.

    `stickiness` draws the weights to `previous_M`: the program gets a penalty stickiness |v - v0|^2 / 2, v0 the
    previous weights scaled as the best blend.
    """
    chosen = np.flatnonzero(active_M & np.isfinite(mu_M))
    if not chosen.size or mu_M[chosen].max() <= 0:
        return equal_weights(active_M)
    if copies_M is None:
        submitted = np.zeros(len(mu_M), dtype=bool)
        submitted[chosen] = True
        copies_M = copies(correlations_MM, submitted)
    penalized = _penalized(correlations_MM, chosen, ridge * copies_M[chosen] + 1e-9)
    near = None if near_M is None else near_M[chosen] > 0
    solution = non_negative_minimum(penalized, mu_M[chosen], near)
    if previous_M is not None and stickiness > 0 and previous_M[chosen].sum() > 0:
        anchor = previous_M[chosen] / previous_M[chosen].sum() * solution.sum()
        drawn = _with_own(penalized, np.full(len(chosen), stickiness))
        solution = non_negative_minimum(drawn, mu_M[chosen] + stickiness * anchor)
    weights = np.zeros(len(mu_M))
    weights[chosen] = solution / solution.sum()
    return weights


def capped(weights_M: Floats, owner_M: NDArray[np.intp], cap: float) -> Floats:
    """The weights with no owner above `cap` in sum; what is cut goes to the others in proportion.

    A cap that the owners with weight cannot fill is loosened to their equal share.
    """
    total_O = np.bincount(owner_M, weights=weights_M)
    holders = total_O > 0
    limit = max(cap, 1.0 / holders.sum())
    full = np.zeros(len(total_O), dtype=bool)
    while True:
        rest = 1.0 - limit * full.sum()
        free = holders & ~full
        scaled_O = np.where(full, limit, np.where(free, total_O * rest / max(total_O[free].sum(), 1e-300), 0.0))
        if not (scaled_O > limit + 1e-12).any():
            break
        full |= scaled_O > limit + 1e-12
    return np.asarray(weights_M * (scaled_O / np.where(holders, total_O, 1.0))[owner_M])


def best_blends(mu_EM: Floats, correlations_MM: Alike, active_M: NDArray[np.bool_], *, ridge: float) -> Floats:
    """`best_blend` of each of several expectations of one round (E x M), each found from the one before."""
    weights_EM = np.zeros(mu_EM.shape)
    near_M: Floats | None = None
    for place, mu_M in enumerate(mu_EM):
        near_M = best_blend(mu_M, correlations_MM, active_M, ridge=ridge, near_M=near_M)
        weights_EM[place] = near_M
    return weights_EM


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Most of the models of a table, with something more on the diagonal (C of them): to copy them out costs more."""

    table_MM: Floats
    chosen_C: NDArray[np.intp]
    own_C: Floats

    def __matmul__(self, values_C: Floats) -> Floats:
        """Times a vector (C)."""
        wide_M = np.zeros(len(self.table_MM), dtype=self.table_MM.dtype)
        wide_M[self.chosen_C] = values_C
        return np.asarray((self.table_MM @ wide_M)[self.chosen_C] + self.own_C * values_C)

    def rows(self, held: NDArray[np.intp]) -> Floats:
        """Some of the rows (held x C)."""
        rows = self.table_MM[self.chosen_C[held]].take(self.chosen_C, axis=1)
        rows[np.arange(len(held)), held] += self.own_C[held]
        return np.asarray(rows)


Quadratic = Floats | Within | Penalized


def _penalized(correlations_MM: Alike, chosen: NDArray[np.intp], own_C: Floats) -> Quadratic:
    """What is minimised over: the chosen models' correlations, with more on the diagonal."""
    if isinstance(correlations_MM, Sketch):
        return Penalized(correlations_MM.take(chosen), own_C)
    if len(chosen) > MOST * len(correlations_MM) and np.isfinite(correlations_MM.sum()):
        return Within(correlations_MM, chosen, own_C)
    return Within(among(correlations_MM, chosen), np.arange(len(chosen)), own_C)


def _with_own(quadratic: Quadratic, own_C: Floats) -> Quadratic:
    """The same with still more on the diagonal."""
    if isinstance(quadratic, Penalized):
        return Penalized(quadratic.sketch, quadratic.own_M + own_C)
    if isinstance(quadratic, Within):
        return Within(quadratic.table_MM, quadratic.chosen_C, quadratic.own_C + own_C)
    return quadratic + np.diag(own_C)


def _solved(
    quadratic: Quadratic, held: NDArray[np.intp], linear_M: Floats
) -> tuple[Floats, Floats]:  # fmt: skip
    """The solution with all but the held coordinates at zero, and the quadratic times it (M both)."""
    solution_M = np.zeros(len(linear_M))
    if isinstance(quadratic, Penalized):
        if len(held):
            solution_M[held] = quadratic.solve(held, linear_M[held])
        return solution_M, quadratic @ solution_M
    rows = quadratic.rows(held) if isinstance(quadratic, Within) else quadratic[held]
    if len(held):
        solution_M[held] = cho_solve(cho_factor(rows[:, held]), linear_M[held])
    return solution_M, solution_M[held] @ rows


def non_negative_minimum(
    quadratic_MM: Quadratic, linear_M: Floats, near_M: NDArray[np.bool_] | None = None
) -> Floats:  # fmt: skip
    """min v'Qv / 2 - l.v over v >= 0, exact, for a positive definite Q (M x M); `near_M` guesses where v > 0.

    Block principal pivoting: exchange all infeasible coordinates at once while that helps, one at a time where it does
    not. Source: Portugal, Judice and Vicente 1994, section 3; Kim and Park 2011, algorithm 1.
    """
    free = _first_guess(quadratic_MM, linear_M) if near_M is None else near_M
    fewest, patience = len(linear_M) + 1, PATIENCE
    for _ in range(STEPS):
        solution, image = _solved(quadratic_MM, np.flatnonzero(free), linear_M)
        slack = image - linear_M
        wrong = np.where(free, solution < -TOLERANCE, slack < -TOLERANCE)
        count = int(wrong.sum())
        if not count:
            break
        if count < fewest:
            fewest, patience = count, PATIENCE
        elif patience:
            patience -= 1
        else:  # no progress by blocks: the last one alone, which cannot cycle
            wrong = np.arange(len(linear_M)) == np.flatnonzero(wrong)[-1]
        free = free ^ wrong
    return np.maximum(solution, 0.0)


def _first_guess(quadratic_MM: Quadratic, linear_M: Floats) -> NDArray[np.bool_]:
    """Coordinates that a few projected gradient steps leave positive: near the answer, so that few exchanges follow."""
    quadratic, linear = quadratic_MM, linear_M
    if isinstance(quadratic, Within):  # in single precision: it is a guess, and reading the table takes the time
        singles: Any = quadratic.table_MM.astype(np.float32)
        quadratic = Within(singles, quadratic.chosen_C, quadratic.own_C)
    guess = np.maximum(linear, 0.0)
    for _ in range(8):
        gradient = linear - quadratic @ guess
        gradient[(guess <= 0) & (gradient < 0)] = 0.0
        curvature = float(gradient @ (quadratic @ gradient))
        if curvature <= 0:
            break
        guess = np.maximum(guess + float(gradient @ gradient) / curvature * gradient, 0.0)
    return np.asarray(guess > 0)


def surrogate_corr(weights_M: Floats, scores_M: Floats, correlations_MM: Floats) -> float:
    """corr of a blend from its models' scores; models without a score count as zero."""
    held = weights_M > 0
    return algebra.corr(weights_M[held], np.nan_to_num(scores_M[held]), correlations_MM[np.ix_(held, held)])
