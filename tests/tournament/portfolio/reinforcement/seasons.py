"""A small season, and the same one with another future."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from tournament.portfolio.config import BacktestConfig, RiskConfig
from tournament.portfolio.limits import Limits
from tournament.portfolio.reinforcement.environment import season_of
from tournament.portfolio.reinforcement.season import Season, Tournament
from tournament.worlds.asset_space import realise
from tournament.worlds.score_space import draw_world
from tournament.worlds.spec import Spec

ROUNDS, MODELS, ASSETS = 48, 6, 20
CONFIG = BacktestConfig(constraints=Limits().widened_for(ASSETS), risk=RiskConfig(factors=3, window_days=126))


@lru_cache(maxsize=2)
def tournament(seed: int = 0) -> Tournament:
    """Forty-eight weekly rounds; a model joins late."""
    world = draw_world(Spec(rounds=ROUNDS, models=MODELS, themes=3, groups=2, payoff=0.1, columns=2, late=0.2), seed)
    made = realise(world, assets=ASSETS, seed=seed)
    stakes = world.active_RM * world.stake_M
    return Tournament(made.dates_T, made.close_TN, made.row_R, made.predictions_RNM, stakes, world.context_RC)


@lru_cache(maxsize=2)
def season(seed: int = 0) -> Season:
    """The decisions of that tournament."""
    return season_of(tournament(seed), CONFIG)


@lru_cache(maxsize=2)
def with_other_future(place: int) -> Season:
    """The same up to a decision's close: later closes, predictions, stakes and contexts are drawn anew."""
    told, rng = tournament(), np.random.default_rng(9)
    row = int(told.row_D[place])
    close, predictions = told.close_TN.copy(), told.predictions_DNM.copy()
    close[row + 1 :] *= np.exp(rng.normal(0, 0.03, close[row + 1 :].shape).cumsum(axis=0))
    predictions[place + 1 :] = rng.normal(size=predictions[place + 1 :].shape)
    stakes, contexts = told.stakes_DM.copy(), told.context_DC.copy()
    stakes[place + 1 :] = rng.uniform(1, 9, stakes[place + 1 :].shape)
    contexts[place + 1 :] = rng.normal(size=contexts[place + 1 :].shape)
    other = replace(told, close_TN=close, predictions_DNM=predictions, stakes_DM=stakes, context_DC=contexts)
    return season_of(other, CONFIG)
