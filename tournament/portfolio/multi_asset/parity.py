"""Risk parity: books whose groups and names carry given shares of the risk. Suffixes: N assets, G groups.

A book's variance w'Cw is the sum of w_i (Cw)_i: what each name contributes. Equal risk contribution asks that these be
in the proportions of a budget b. They are at the minimum of x'Cx / 2 - sum b_i log x_i (Spinu 2013), which is unique:
a strictly convex problem, descended by Newton's steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tournament.errors import BadInput, RegattaError
from tournament.portfolio.risk import Floats

TOLERANCE, MOST_STEPS = 1e-12, 200


def risk_shares(weights_N: Floats, covariance_NN: Floats) -> Floats:
    """Share of the book's variance that each asset contributes (N); they sum to 1, and may be negative."""
    marginal_N = covariance_NN @ weights_N
    variance = float(weights_N @ marginal_N)
    return np.asarray(weights_N * marginal_N / variance) if variance > 0 else np.zeros(len(weights_N))


def group_shares(weights_N: Floats, covariance_NN: Floats, groups: Sequence[str]) -> dict[str, float]:
    """Share of the book's variance by group."""
    shares_N, named_N = risk_shares(weights_N, covariance_NN), np.array(groups)
    return {str(name): float(shares_N[named_N == name].sum()) for name in np.unique(named_N)}


def equal_risk(covariance_NN: Floats, budget_N: Floats) -> Floats:
    """The long book, of weights that sum to 1, whose risk contributions are in the proportions of `budget_N`.

    An asset without budget is not held. Raises BadInput for budgets below 0 or none, and a covariance that is not
    positive definite. Source: Spinu 2013, algorithm 3.1; Maillard, Roncalli and Teiletche 2010 for the book.
    """
    if (budget_N < 0).any() or not np.isfinite(budget_N).all() or not budget_N.sum() > 0:
        raise BadInput("risk budgets must be zero or more, and not all zero")
    held_N = budget_N > 0
    deviation_H = np.sqrt(np.diag(covariance_NN)[held_N])
    if not (deviation_H > 0).all():
        raise BadInput("an asset with a risk budget has no risk")
    correlation_HH = covariance_NN[np.ix_(held_N, held_N)] / np.outer(deviation_H, deviation_H)
    budget_H = budget_N[held_N] / budget_N.sum()
    weights_N = np.zeros(len(budget_N))
    weights_N[held_N] = _minimum(correlation_HH, budget_H) / deviation_H
    return weights_N / weights_N.sum()


def signed_equal_risk(covariance_NN: Floats, budget_N: Floats) -> Floats:
    """The same for a book that is short where the budget is negative; absolute weights sum to 1.

    Its contributions are in the proportions of the budgets' sizes: that of the assets turned round is the long book's.
    """
    sign_N = np.where(budget_N < 0, -1.0, 1.0)
    return np.asarray(sign_N * equal_risk(covariance_NN * np.outer(sign_N, sign_N), np.abs(budget_N)))


def nested_equal_risk(
    covariance_NN: Floats, budget_N: Floats, groups: Sequence[str], shares: Mapping[str, float]
) -> Floats:
    """Risk parity inside each group by itself, then among the groups' books, by the groups' shares.

    Inside a group the contributions are equal to the group's own risk, not to the whole book's.
    """
    named_N, inside = np.array(groups), {}
    for name in shares:
        place_M = np.flatnonzero((named_N == name) & (budget_N != 0))
        if len(place_M):
            book_N = np.zeros(len(budget_N))
            book_N[place_M] = signed_equal_risk(covariance_NN[np.ix_(place_M, place_M)], budget_N[place_M])
            inside[name] = book_N
    if not inside:
        raise BadInput("no group has a budget and an asset")
    books_GN = np.array(list(inside.values()))
    across_G = equal_risk(books_GN @ covariance_NN @ books_GN.T, np.array([shares[name] for name in inside]))
    weights_N = across_G @ books_GN
    return np.asarray(weights_N / np.abs(weights_N).sum())


def _minimum(covariance_NN: Floats, budget_N: Floats) -> Floats:
    """The x above 0 with x_i (Cx)_i = b_i (N)."""
    x_N = np.sqrt(budget_N / max(float(np.sqrt(budget_N) @ covariance_NN @ np.sqrt(budget_N)), 1e-12))
    for _ in range(MOST_STEPS):
        marginal_N = covariance_NN @ x_N
        if float(np.abs(x_N * marginal_N - budget_N).max()) <= TOLERANCE:
            return np.asarray(x_N)
        slope_N = marginal_N - budget_N / x_N
        try:
            curvature = cho_factor(covariance_NN + np.diag(budget_N / x_N**2))
        except np.linalg.LinAlgError:
            raise BadInput("the covariance of a risk-parity book is not positive definite") from None
        step_N = -cho_solve(curvature, slope_N)
        x_N = _stepped(covariance_NN, budget_N, x_N, step_N, float(slope_N @ step_N))
    raise RegattaError(f"risk parity did not settle within {MOST_STEPS} steps")


def _stepped(covariance_NN: Floats, budget_N: Floats, x_N: Floats, step_N: Floats, slope: float) -> Floats:
    """Newton's step, kept inside the positive orthant and halved until it gains what it promised (Armijo 1966)."""

    def value(at_N: Floats) -> float:
        return float(0.5 * at_N @ covariance_NN @ at_N - budget_N @ np.log(at_N))

    falling_N = step_N < 0
    room = float((x_N[falling_N] / -step_N[falling_N]).min(initial=np.inf))
    length, here = min(1.0, 0.95 * room), value(x_N)
    while length > 1e-8 and value(x_N + length * step_N) > here + 1e-4 * length * slope + 1e-15 * abs(here):
        length /= 2.0
    return np.asarray(x_N + length * step_N)
