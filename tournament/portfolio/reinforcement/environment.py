"""The joint problem as a Gymnasium environment: every step sets one rebalance, rewards come when they are known.

Shape suffixes: D decisions, T days, N assets, A numbers of an action, O numbers that are seen. What is seen was known
at a decision's close: market, models and the book held. An action sets the convex allocator (`actions.py`). The reward
is the payment of each book (`account.py`) less that of the default allocator's book of the same decision, in basis
points: what both could not help cancels, and what is best stays best. A step ends at the next decision's close and pays
what is known there; the last one waits for its own book. Holdings are carried over and cost to change, so actions
matter later.
Source: ours; the interface is Gymnasium's (Towers et al. 2024).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from tournament.errors import BadConfig, BadInput, Fault
from tournament.portfolio.config import BacktestConfig
from tournament.portfolio.reinforcement.account import Account
from tournament.portfolio.reinforcement.actions import chosen_book, names
from tournament.portfolio.reinforcement.season import CLIP, Season, Tournament, prepare
from tournament.portfolio.risk import Floats

BASIS_POINT = 1e-4
TYPICAL_VOLATILITY = 0.05 / np.sqrt(252.0)
BOOK = ("gross", "forecast volatility", "drawdown")
Seen = NDArray[np.float32]


class AllocationEnv(gymnasium.Env[Seen, Seen]):
    """Decisions `first` to `last` of a season in order; an episode is `span` of them, from a drawn place on.

    It begins with the default allocator's holdings there.
    """

    metadata = {"render_modes": []}

    def __init__(self, season: Season, *, first: int = 0, last: int | None = None, span: int | None = None) -> None:
        """All decisions whose payment is known by default. Raises BadConfig."""
        self.season, self.first = season, first
        self.last = season.last if last is None else last
        self.span = self.last - first if span is None else span
        if not 0 <= first < self.last <= season.last or not 1 <= self.span <= self.last - first:
            found = f"episodes of {self.span} from decisions {first} to {self.last} of {season.last}"
            raise BadConfig(Fault("span", found, "give at least one decision, and no more than there are"))
        seen = common_columns(season) + len(season.decisions[0].told_C)
        self.observation_space = spaces.Box(-CLIP, CLIP, (seen,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (len(names(season.blends)),), np.float32)
        self._end, self._peak = 0, 1.0
        self._account: Account | None = None

    @property
    def seen(self) -> int:
        """How many numbers are seen."""
        return int(np.prod(self.observation_space.shape or ()))

    @property
    def actions(self) -> int:
        """How many numbers an action has."""
        return int(np.prod(self.action_space.shape or ()))

    @property
    def row(self) -> int:
        """The decision that is due; after an episode's end, its last one."""
        return 0 if self._account is None else min(self._account.place, self._end - 1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Stand at the first decision of an episode that starts at a drawn place."""
        super().reset(seed=seed)
        place = self.first + int(self.np_random.integers(self.last - self.first - self.span + 1))
        self._account = Account.at(self.season, place, self.season.default_DN[place])
        self._end, self._peak = place + self.span, 1.0
        return self._observed(self._account), {"row": place}

    def step(self, action: Seen) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Rebalance and go on to the next decision's close; an action beyond -1 or 1 counts as that. Raises BadInput.

        `info` has `paid` (the reward by decision), `net` (net return of each day of the step) and `is_refused`.
        """
        account = self._account
        if account is None or account.place >= self._end:
            raise BadInput(Fault("no_decision", "no decision is due: the episode has ended", "call reset first"))
        action_A = np.clip(np.asarray(action, dtype=float), -1.0, 1.0)
        decision = self.season.decisions[account.place]
        target_N = chosen_book(self.season, decision, action_A, account.held.weights_N)
        net_T, paid = account.sail(target_N)
        over = account.place == self._end
        if over:
            rest_T, rest = account.finish()
            net_T, paid = np.concatenate([net_T, rest_T]), paid | rest
        self._peak = max(self._peak, account.held.value)
        told = {place: self._reward(place, payment) for place, payment in paid.items()}
        info = {"row": self.row, "paid": told, "net": net_T, "is_refused": target_N is None}
        return self._observed(account), float(sum(told.values())), over, False, info

    def _reward(self, place: int, payment: float) -> float:
        return float((payment - self.season.default_paid_D[place]) / BASIS_POINT)

    def _observed(self, account: Account) -> Seen:
        """Market and models as known at the decision, the book, and what the tournament tells besides."""
        decision, weights_N = self.season.decisions[account.place], account.held.weights_N
        held_U = weights_N[decision.here_U]
        size = float(np.sqrt(held_U @ held_U * len(held_U)))
        alike_B = decision.blend_UB.T @ held_U / size if size > 0 else np.zeros(decision.blend_UB.shape[1])
        risk = np.sqrt(decision.known.risk.variance(held_U)) / TYPICAL_VOLATILITY
        book = (float(np.abs(held_U).sum()), risk, 10.0 * (account.held.value / self._peak - 1.0))
        seen_O = np.concatenate([decision.seen_C, book, alike_B, decision.told_C])
        return np.asarray(np.clip(seen_O, -CLIP, CLIP), dtype=np.float32)


def common_columns(season: Season) -> int:
    """How many of the numbers seen, the first ones, mean the same in any season with as many blends."""
    return len(season.decisions[0].seen_C) + len(BOOK) + len(season.blends)


def season_of(told: Tournament, config: BacktestConfig, **options: Any) -> Season:
    """The decisions of a tournament with what the default allocator did in them, from cash. Raises BadInput."""
    season = prepare(told, config, **options)
    account = Account.at(season, 0, np.zeros(season.close_TN.shape[1]))
    default_DN = np.zeros((season.last + 1, season.close_TN.shape[1]))
    paid_D, net_T = np.full(season.last, np.nan), np.full(len(season.close_TN), np.nan)
    still_A = np.zeros(len(names(season.blends)))
    for place in range(season.last):
        decision = season.decisions[place]
        target_N = chosen_book(season, decision, still_A, account.held.weights_N)
        day_T, paid = account.sail(target_N)
        net_T[decision.row + 1 : decision.row + 1 + len(day_T)] = day_T
        _take_in(paid_D, paid)
        default_DN[place + 1] = account.held.weights_N
    row = season.decisions[season.last].row
    day_T, paid = account.finish()
    net_T[row + 1 : row + 1 + len(day_T)] = day_T
    _take_in(paid_D, paid)
    return replace(season, default_DN=default_DN, default_paid_D=paid_D, default_net_T=net_T)


def _take_in(paid_D: Floats, paid: dict[int, float]) -> None:
    for place, payment in paid.items():
        paid_D[place] = payment
