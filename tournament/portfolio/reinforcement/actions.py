"""What an action means: how the convex allocator is set for one rebalance, and which blend it is given.

Shape suffixes: A numbers of an action, each from -1 to 1; U assets, B blends. An action of zeros is the allocator at
its defaults on the meta-model. A learner thus begins where the allocator stands, keeps its limits whatever it does, and
has a handful of numbers to find instead of a weight for every asset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tournament.errors import Infeasible
from tournament.portfolio.decision import Estimate
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.rebalance import alpha_from_signal, rebalance
from tournament.portfolio.reinforcement.season import Decision, Season
from tournament.portfolio.risk import Floats

SETTINGS = ("risk aversion", "price of turnover", "gross")
FACTOR = 4.0
"""By which aversion and price of turnover are multiplied at 1 and divided at -1, and gross divided at -1."""
REACHED = 0.9
"""Share of the turnover limit by which a lower gross may be approached in one rebalance."""


def names(blends: Sequence[str]) -> tuple[str, ...]:
    """What each number of an action turns."""
    return (*SETTINGS, *(f"towards {name}" for name in blends[1:]))


def grid(blends: Sequence[str]) -> dict[str, Floats]:
    """The allocator's defaults, and each of its settings turned alone: what a bandit chooses among."""
    size = len(SETTINGS) + len(blends) - 1
    single = np.eye(size)
    arms = {"default": np.zeros(size)}
    arms |= {"aversion / 4": -single[0], "aversion x 4": single[0], "turnover at a quarter": -single[1]}
    arms |= {"turnover at 4 spreads": single[1], "half gross": -0.5 * single[2]}
    arms = {name: arm_A + 0.0 for name, arm_A in arms.items()}  # no -0.0
    return arms | {f"all {name}": single[len(SETTINGS) + place] for place, name in enumerate(blends[1:])}


def signal_of(decision: Decision, action_A: Floats) -> Floats:
    """The meta-model's blend moved towards others (U): at 1 of one and 0 of the rest it is that one."""
    tilt_B = action_A[len(SETTINGS) :]
    return np.asarray(decision.blend_UB[:, 0] * (1.0 - tilt_B.sum()) + decision.blend_UB[:, 1:] @ tilt_B)


def limits_of(action_A: Floats, limits: Limits, *, held: float) -> Limits:
    """The limits of one rebalance of a book with this gross exposure; gross is never raised.

    A lower one is approached no faster than the turnover limit lets it.
    """
    asked = limits.gross * FACTOR ** min(0.0, float(action_A[2]))
    gross = max(asked, min(limits.gross, held - REACHED * limits.turnover))
    return replace(limits, gross=gross, aversion=limits.aversion * FACTOR ** float(action_A[0]))


def chosen_book(season: Season, decision: Decision, action_A: Floats, weights_N: Floats) -> Floats | None:
    """The book (N) for the fill that follows, from what was known and what is held; None where limits forbid any."""
    config, previous_U = season.config, weights_N[decision.here_U]
    limits = limits_of(action_A, config.constraints, held=float(np.abs(previous_U).sum()))
    costs = Costs(config.costs.half_spread * FACTOR ** float(action_A[1]), config.costs.borrow_per_year)
    known: Estimate = decision.known
    alpha_U = alpha_from_signal(signal_of(decision, action_A), decision.scale_U, corr=1.0)
    try:
        book = rebalance(alpha_U, known.risk, previous_U, limits, costs, beta_N=known.beta_U)
    except Infeasible:
        return None
    target_N = np.zeros(len(weights_N))
    target_N[decision.here_U] = book.weights_N
    return target_N
