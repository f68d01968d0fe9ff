"""Does reinforcement learning set the allocator better than its defaults? Paired, walk-forward, worlds and stocks.

REGATTA_DATA names the folder of the price files. See docs/reinforcement_learning.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from strategies import STOCK_SPREAD, Market, stock_market

from tournament.portfolio.config import BacktestConfig, RiskConfig
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.reinforcement.bandit import bandit_for
from tournament.portfolio.reinforcement.environment import season_of
from tournament.portfolio.reinforcement.policy import ProximalLearner, SchooledLearner
from tournament.portfolio.reinforcement.season import Season, Tournament, as_history
from tournament.portfolio.reinforcement.walk_forward import YEAR, Comparison, Schedule, Walked, compare, foreseen, walk
from tournament.worlds.asset_space import realise
from tournament.worlds.score_space import draw_world
from tournament.worlds.spec import draw_spec

DATA = Path(os.environ.get("REGATTA_DATA", "../shared/data"))
ASSETS, MODELS, ROUNDS, SEED = 120, 40, 240, 0
SCHOOL, SCHOOL_ROUNDS, SCHOOL_CHECKED = range(100, 106), 150, 2
WARM_UP, EVERY = 120, 60
STOCKS_WARM_UP, STOCKS_EVERY, STEP, THINNED = 200, 100, 10, 3
LEARNERS = ["bandit", "ppo", "schooled", "foreseen"]


def world_season(seed: int, *, rounds: int = ROUNDS) -> Season:
    """A world drawn from the prior, traps included, with prices."""
    spec = draw_spec(np.random.default_rng(seed), rounds=rounds, models=MODELS)
    world = draw_world(spec, seed)
    made = realise(world, assets=ASSETS, seed=seed)
    told = Tournament(
        made.dates_T, made.close_TN, made.row_R, made.predictions_RNM, world.active_RM * world.stake_M,
        world.context_RC, 5 * spec.overlap,
    )  # fmt: skip
    return season_of(told, BacktestConfig(constraints=Limits().widened_for(ASSETS)))


def stock_season() -> Season:
    """Every third member of the S&P 500 by date, ten models of prices alone, a decision every ten days."""
    whole = stock_market(DATA)
    kept = np.arange(0, len(whole.ids), THINNED)
    market = Market(
        whole.dates_T, tuple(whole.ids[one] for one in kept), whole.return_TN[:, kept], whole.spread_TN[:, kept],
        whole.open_to_TN[:, kept],
    )  # fmt: skip
    rows = np.arange(504, len(market.dates_T) - STEP, STEP)
    predictions = np.stack([scores(market, int(row)) for row in rows]).astype(np.float32)
    close_TN = 50.0 * np.cumprod(1.0 + market.return_TN, axis=0)
    nothing = np.zeros((len(rows), 0))
    told = Tournament(market.dates_T, close_TN, rows, predictions, np.ones(predictions.shape[::2]), nothing)
    told = replace(told, stakes_DM=compounded(told))
    size = int(market.open_to_TN[rows].sum(axis=1).mean())
    config = BacktestConfig(constraints=Limits().widened_for(size), costs=Costs(half_spread=STOCK_SPREAD))
    return season_of(told, replace(config, risk=RiskConfig(factors=10)))


def scores(market: Market, day: int) -> np.ndarray:
    """What ten models of past returns say of those that are open (N x 10); NaN of the others."""
    past = market.return_TN[day - 503 : day + 1]
    year, quarter = past[-252:], past[-63:]
    index = year.mean(axis=1) - year.mean()
    wealth = np.cumsum(year, axis=0)
    columns = (
        past[-252:-21].sum(0), past[-126:-21].sum(0), quarter.sum(0), -past[-21:].sum(0), -past[-5:].sum(0),
        -past[:-252].sum(0), -year.std(0), -(index @ year) / (index @ index), wealth[-1] - wealth.max(0),
        -((year - year.mean(0)) ** 3).mean(0) / year.std(0).clip(1e-9) ** 3,
    )  # fmt: skip
    return np.where(market.open_to_TN[day][:, None], np.stack(columns, axis=1), np.nan)


def compounded(told: Tournament) -> np.ndarray:
    """Stakes that won and lost with the scores resolved by each decision, as those of a tournament do."""
    history = as_history(told, delay_days=1)
    scores_DM = np.nan_to_num(history.scores_RM)
    return np.stack([np.exp(scores_DM[history.resolves_at_R <= now].sum(axis=0)) for now in history.opens_at_R])


def schooled() -> SchooledLearner:
    """A policy trained on other worlds than any that is judged."""
    seasons = [world_season(seed, rounds=SCHOOL_ROUNDS) for seed in SCHOOL]
    return SchooledLearner.of(seasons[:-SCHOOL_CHECKED], seasons[-SCHOOL_CHECKED:], seed=SEED)


def rows(season: Season, schedule: Schedule, arms: dict[str, Callable[[Season, Schedule], Walked]]) -> list[Comparison]:
    """Every learner beside the convex allocator."""
    return [compare(season, walked(season, schedule), seed=SEED) for walked in arms.values()]


def chosen(names: list[str]) -> dict[str, Callable[[Season, Schedule], Walked]]:
    """What leads each of these learners through a season."""
    arms: dict[str, Callable[[Season, Schedule], Walked]] = {
        "bandit": lambda season, schedule: walk(season, bandit_for(season, seed=SEED), schedule),
        "ppo": lambda season, schedule: walk(season, ProximalLearner(seed=SEED), schedule),
        "foreseen": foreseen,
    }
    if "schooled" in names:
        school = schooled()
        arms["schooled"] = lambda season, schedule: walk(season, school, schedule)
    return {name: arms[name] for name in names}


def told(name: str, found: list[Comparison]) -> None:
    cells = [
        f"{one.gain.mean * YEAR:+.1%} ± {one.gain.standard_error * YEAR:.1%}, "
        f"{one.change.gain:+.2f} ± {one.change.error:.2f}"
        for one in found
    ]
    base = f"{found[0].base_return:+.1%}, {found[0].base_sharpe:.2f}"
    print(f"| {name}, {found[0].years:.1f} years | {base} | " + " | ".join(cells) + " |", flush=True)


def pooled(all_found: list[list[Comparison]]) -> None:
    """The mean of the worlds' changes, with the error of drawing worlds anew."""
    cells = []
    for found in zip(*all_found, strict=True):
        pairs = [(one.gain.mean * YEAR, one.change.gain) for one in found]
        mean, error = np.mean(pairs, axis=0), np.std(pairs, axis=0, ddof=1) / np.sqrt(len(pairs))
        cells.append(f"{mean[0]:+.1%} ± {error[0]:.1%}, {mean[1]:+.2f} ± {error[1]:.2f}")
    base = np.mean([(one[0].base_return, one[0].base_sharpe) for one in all_found], axis=0)
    print(
        f"| mean of {len(all_found)} worlds | {base[0]:+.1%}, {base[1]:.2f} | " + " | ".join(cells) + " |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, nargs="*", default=list(range(6)), help="seeds of the worlds")
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=LEARNERS)
    parser.add_argument("--skip-stocks", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    arms = chosen(asked.learners)
    print(
        "| season | convex: return, Sharpe | " + " | ".join(arms) + " |\n|---|---" + "|---" * len(arms) + "|",
        flush=True,
    )
    found = []
    for seed in asked.worlds:
        season = world_season(seed)
        found.append(rows(season, Schedule(WARM_UP, EVERY, season.horizon_decisions), arms))
        told(f"world {seed}", found[-1])
    if len(found) > 1:
        pooled(found)
    if asked.skip_stocks:
        return
    if not (DATA / "equity_us_sp500_daily.parquet").exists():
        print(f"{DATA} has no equity_us_sp500_daily.parquet; set REGATTA_DATA to the folder of the price files")
        return
    season = stock_season()
    told("S&P 500", rows(season, Schedule(STOCKS_WARM_UP, STOCKS_EVERY, season.horizon_decisions), arms))


if __name__ == "__main__":
    main()
