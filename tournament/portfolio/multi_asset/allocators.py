"""From what is known at a close to a book: seven ways of sharing out money, all to one target volatility.

Shape suffixes: S days of history, U instruments that may be held, K factors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tournament.portfolio.multi_asset.budgeted import budgeted_book
from tournament.portfolio.multi_asset.config import Method
from tournament.portfolio.multi_asset.parity import nested_equal_risk, signed_equal_risk
from tournament.portfolio.multi_asset.question import Question
from tournament.portfolio.risk import Floats


def choose(question: Question) -> Floats:
    """The book (U) by the rules' method. Raises Infeasible, BadInput for a method whose package is missing."""
    return ALLOCATORS[Method(question.rules.method)](question)


def to_target(weights_U: Floats, question: Question) -> Floats:
    """The same proportions at the target volatility, or at the limit on gross if that comes first."""
    volatility = float(np.sqrt(question.known.risk.variance(weights_U)))
    gross = float(np.abs(weights_U).sum())
    if volatility <= 0 or gross <= 0:
        return np.zeros(len(weights_U))
    scaled_U = weights_U * min(question.target / volatility, question.rules.gross / gross)
    return np.clip(scaled_U, -question.rules.position, question.rules.position)


def equal_money(question: Question) -> Floats:
    """Money in proportion to budgets."""
    return to_target(question.budget_U, question)


def equal_volatility(question: Question) -> Floats:
    """Stand-alone risk in proportion to budgets (inverse volatility); correlations are not looked at."""
    return to_target(question.budget_U / question.known.volatility_U, question)


def risk_parity(question: Question) -> Floats:
    """Contributions to the book's risk in proportion to budgets, so that groups' shares are met too."""
    return to_target(signed_equal_risk(question.known.covariance_UU, question.budget_U), question)


def nested_risk_parity(question: Question) -> Floats:
    """Risk parity inside each group, then among them."""
    covariance_UU = question.known.covariance_UU
    return to_target(nested_equal_risk(covariance_UU, question.budget_U, question.groups, question.shares), question)


def hierarchical(question: Question) -> Floats:
    """Hierarchical risk parity by skfolio on the assets turned the way that they are held."""
    from tournament.portfolio.multi_asset.external import hierarchical_weights  # skfolio is slow to load

    sign_U = np.where(question.budget_U < 0, -1.0, 1.0)
    held_U = question.budget_U != 0
    weights_U = np.zeros(len(held_U))
    weights_U[held_U] = hierarchical_weights((question.known.returns_SU * sign_U)[:, held_U])
    return to_target(sign_U * weights_U, question)


def black_litterman(question: Question) -> Floats:
    """The convex book of skfolio's posterior returns: an equilibrium of risk parity, and the alphas as views."""
    from tournament.portfolio.multi_asset.external import posterior_returns

    long_U = signed_equal_risk(question.known.covariance_UU, np.abs(question.budget_U))
    days = question.rules.horizon_days
    alpha_U = days * posterior_returns(question.known.returns_SU, long_U, question.alpha_U / days)
    return budgeted_book(question, alpha_U)


def convex(question: Question) -> Floats:
    """The kernel's book of alphas after costs, each group averse enough to keep to its share of risk."""
    return budgeted_book(question, question.alpha_U)


ALLOCATORS: dict[Method, Callable[[Question], Floats]] = {
    Method.EQUAL_MONEY: equal_money,
    Method.EQUAL_VOLATILITY: equal_volatility,
    Method.RISK_PARITY: risk_parity,
    Method.NESTED_RISK_PARITY: nested_risk_parity,
    Method.HIERARCHICAL: hierarchical,
    Method.BLACK_LITTERMAN: black_litterman,
    Method.CONVEX: convex,
}
