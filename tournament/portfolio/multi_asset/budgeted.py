"""The convex book whose groups keep to budgets of risk. Shape suffixes: U instruments, K factors.

A share of risk is no convex limit, but its price is a multiplier like any other: a group that takes more than its share
is made more averse. With aversions a_g the kernel maximises alpha.w - 1/2 v'Cv - costs with v_i = w_i sqrt(a_g(i)); the
aversions are those at which every group's part of w'Cw is its share of the target variance. Alphas and costs stay in
money, so that what does not pay for its trades is not traded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tournament.errors import Infeasible
from tournament.portfolio.kernel.problem import Problem, Row
from tournament.portfolio.kernel.solve import NotConverged, solve
from tournament.portfolio.multi_asset.parity import group_shares
from tournament.portfolio.multi_asset.question import Question
from tournament.portfolio.risk import Floats, RiskModel

ROUNDS, CLOSE = 40, 0.01
"""Solves for one book at most, and how near to its share of the target variance a group must come, in parts of it."""
FULL_STEP, SHORTEST = 0.5, 0.01
"""A group alone answers to an aversion by its square; groups that hedge one another need shorter steps."""
WIDEST = 1e4
"""How far an aversion may leave its start: a group whose alphas do not pay for trading leaves its budget unused."""


@dataclass(frozen=True, slots=True)
class _Try:
    weights_U: Floats
    aversion_G: Floats
    part_G: Floats
    """Each group's part of the variance over what it should be."""

    @property
    def miss(self) -> float:
        """How far the worst group is from its share."""
        return float(np.abs(self.part_G - 1.0).max())


def budgeted_book(question: Question, alpha_U: Floats) -> Floats:
    """The best book (U) within the groups' budgets. Raises Infeasible, naming the limits in conflict."""
    names = [name for name, share in question.shares.items() if share > 0]
    inside_GU = np.array([[group == name for group in question.groups] for name in names])
    share_G = np.array([question.shares[name] for name in names])
    first_G = _first_guess(question, alpha_U, inside_GU, share_G)
    best = _tried(question, alpha_U, first_G, inside_GU, share_G)
    length = FULL_STEP
    for _ in range(ROUNDS):
        if best.miss <= CLOSE or length < SHORTEST:
            break
        moved_G = best.aversion_G * np.clip(best.part_G, 0.1, 10.0) ** length
        tried = _tried(question, alpha_U, np.clip(moved_G, first_G / WIDEST, first_G * WIDEST), inside_GU, share_G)
        better = tried.miss < best.miss
        best, length = (tried, min(FULL_STEP, 2.0 * length)) if better else (best, length / 2.0)
    return _within_target(best.weights_U, question)


def _within_target(weights_U: Floats, question: Question) -> Floats:
    """The book at the target volatility at most: where budgets cannot all be met, the smaller book of its shape."""
    volatility = float(np.sqrt(question.known.risk.variance(weights_U)))
    return weights_U * min(1.0, question.target / volatility) if volatility > 0 else weights_U


def problem_at(question: Question, alpha_U: Floats, aversion_U: Floats) -> Problem:
    """The kernel's problem at given aversions; what may not be traded stays, what has no budget is not held."""
    rules, known = question.rules, question.known
    root_U = np.sqrt(aversion_U)
    risk = RiskModel(known.risk.loadings_NK * root_U[:, None], known.risk.specific_N * aversion_U)
    most_U = np.minimum(rules.position, rules.position_risk * question.target / known.volatility_U)
    most_U = np.where(question.budget_U == 0.0, 0.0, most_U)
    named_U = np.array(question.groups)
    rows = tuple(Row(f"net of {name}", (named_U == name).astype(float)) for name in question.neutral)
    problem = Problem(
        alpha_U, risk, question.previous_U, -most_U, most_U, 1.0, rows, cost_N=question.spread_U, gross=rules.gross
    )
    return problem.without_trades(question.fixed_U)


def _tried(
    question: Question, alpha_U: Floats, aversion_G: Floats, inside_GU: Floats, share_G: Floats
) -> _Try:  # fmt: skip
    covered_U = inside_GU.any(axis=0)
    aversion_U = np.where(covered_U, aversion_G @ inside_GU, float(aversion_G.max()))
    problem = problem_at(question, alpha_U, aversion_U)
    try:
        weights_U = solve(problem).weights_N
    except NotConverged as stopped:
        raise Infeasible(f"the book was not found: {stopped}") from None
    pull_U = weights_U * _marginal(question.known.risk, weights_U)
    return _Try(weights_U, aversion_G, inside_GU @ pull_U / (share_G * question.target**2))


def _marginal(risk: RiskModel, weights_U: Floats) -> Floats:
    return np.asarray(risk.loadings_NK @ (risk.loadings_NK.T @ weights_U) + risk.specific_N * weights_U)


def _first_guess(question: Question, alpha_U: Floats, inside_GU: Floats, share_G: Floats) -> Floats:
    """Aversions at which each group alone, free of limits and costs, would take its share."""
    covariance_UU, guesses = question.known.covariance_UU, []
    for inside_U, share in zip(inside_GU, share_G, strict=True):
        here_M = np.flatnonzero(inside_U)
        best_M = np.linalg.solve(covariance_UU[np.ix_(here_M, here_M)], alpha_U[here_M])
        worth = float(alpha_U[here_M] @ best_M)
        guesses.append(np.sqrt(max(worth, 1e-18) / (share * question.target**2)))
    return np.array(guesses)


def shares_of(question: Question, weights_U: Floats) -> dict[str, float]:
    """Share of the book's forecast variance by group."""
    return group_shares(weights_U, question.known.covariance_UU, question.groups)
