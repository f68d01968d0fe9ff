"""Is a fine-tuned predictor as good as one that is trained anew, and what does each cost?

Walk-forward: each era is predicted from what had resolved when it opened. corr is the tournament's; standard errors
are Newey-West over a quarter, beyond the targets' overlap, because regimes make differences last. Seconds are of one
core's own work. PYTHONPATH=platform:. python benchmarks/bench_predictors.py --worlds 3 --rounds 300
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.archives import Course, lay_out
from demo.archives import Eras as Laid
from demo.price_files import membership, read_market
from tournament.evaluation.compare import mean_and_error, paired
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.predictors.eras import Eras, eras_of
from tournament.predictors.network import FeatureNetwork
from tournament.predictors.neural import LEARNED
from tournament.predictors.registry import make
from tournament.rules import Rules
from tournament.scoring.panel import score_panel
from tournament.selectors.protocol import State

FRESH = 81_000
"""Seeds of the simulated markets; the predictors' settings were chosen on others."""
QUARTER = 13
NEWEST = 600
RULES = Rules()
PRICES = Path(os.environ.get("REGATTA_SP500", "../shared/data/equity_us_sp500_daily.parquet"))


@dataclass
class Way:
    """One line of the table: a predictor, how often it is trained, and whether it is fine-tuned each round."""

    name: str
    family: str
    every: int | None
    adapts: bool
    trains: bool = True
    state: State | None = None
    training: float = 0.0
    serving: float = 0.0

    def predict(self, eras: Eras, row: int, turn: int) -> np.ndarray:
        predictor, number = make(self.family, RULES), int(eras.number_E[row])
        known = eras.known_at(number, RULES.resolve_rounds)
        start = time.process_time()
        if self.state is None or (self.every and turn % self.every == 0):
            self.state = predictor.train(known.newest(NEWEST), seed=1) if self.trains else untrained(eras.features)
        trained = time.process_time()
        state = predictor.adapt(self.state, known.newest(predictor.support)) if self.adapts else self.state
        values = predictor.predict(state, eras.features_ENF[row])
        self.training, self.serving = self.training + trained - start, self.serving + time.process_time() - trained
        return values


def untrained(features: int) -> State:
    """A network as it is drawn: what is fine-tuning worth without any training before it?"""
    import torch

    torch.manual_seed(1)
    network = FeatureNetwork(features)
    return State("mlp", {LEARNED + name: values.numpy() for name, values in network.state_dict().items()})


def ways(every: int) -> list[Way]:
    return [
        Way(f"MLP, trained anew every {every} rounds", "mlp", every, adapts=False),
        Way("MLP, trained once", "mlp", None, adapts=False),
        Way("MLP, untrained, fine-tuned", "mlp", None, adapts=True, trains=False),
        Way("MLP, trained once, fine-tuned", "mlp", None, adapts=True),
        Way("MAML, trained once, fine-tuned", "maml", None, adapts=True),
        Way("Reptile, trained once, fine-tuned", "reptile", None, adapts=True),
        Way(f"LightGBM, trained anew every {every} rounds", "lightgbm", every, adapts=False),
        Way("LightGBM, trained once", "lightgbm", None, adapts=False),
    ]


def walk(eras: Eras, lines: Sequence[Way], rounds: int) -> np.ndarray:
    """corr of each line in each of the last rounds (rounds x lines)."""
    corr = np.full((rounds, len(lines)), np.nan)
    for turn, row in enumerate(range(len(eras) - rounds, len(eras))):
        known = np.isfinite(eras.target_EN[row])
        values = np.stack([line.predict(eras, row, turn)[known] for line in lines], axis=1)
        corr[turn] = score_panel(values, eras.target_EN[row, known].astype(float)).corr
    return corr


def tell(title: str, walks: list[np.ndarray], lines: list[list[Way]]) -> None:
    """A table: means over the markets, errors of independent markets."""
    rounds = len(walks[0])
    print(f"\n{title}: {len(walks)} x {rounds} rounds\n")
    print("| predictor | corr | over the MLP trained anew | training, s a round | fine-tuning and answer, ms a round |")
    print("|---|---|---|---|---|")
    for place, line in enumerate(lines[0]):
        alone = [mean_and_error(corr[:, place], overlap=QUARTER) for corr in walks]
        apart = [paired(corr[:, place], corr[:, 0], overlap=QUARTER) for corr in walks]
        (mean, error), (gain, gain_error) = (pooled(found) for found in (alone, apart))
        training = np.mean([one[place].training for one in lines]) / rounds
        serving = 1e3 * np.mean([one[place].serving for one in lines]) / rounds
        over = "" if place == 0 else f"{gain:+.4f} ± {gain_error:.4f}"
        print(f"| {line.name} | {mean:+.4f} ± {error:.4f} | {over} | {training:.4f} | {serving:.1f} |", flush=True)


def pooled(found: Sequence) -> tuple[float, float]:
    return float(np.mean([one.mean for one in found])), float(
        np.sqrt(np.sum([one.standard_error**2 for one in found])) / len(found)
    )


def as_eras(laid: Laid) -> Eras:
    sections = []
    for era in range(len(laid.rows_E)):
        here = np.flatnonzero(laid.universe_EN[era])
        sections.append((era + 1, laid.features_ENF[era, here], laid.targets["target"][era, here]))
    return eras_of(sections)


def study(title: str, markets: Sequence[Callable[[], Eras]], rounds: int, every: int) -> None:
    walks, lines = [], []
    for market in markets:
        lines.append(ways(every))
        walks.append(walk(market(), lines[-1], rounds))
    tell(title, walks, lines)


def simulated(seed: int, rounds: int) -> Eras:
    world = simulate(SimulationConfig(seed=seed, assets=150, weeks=2 * rounds))
    return as_eras(lay_out(world.panel, RULES, Course(rounds=rounds, training_eras=rounds)))


def stocks(rounds: int) -> Eras:
    panel = read_market(PRICES)
    members = membership(panel, PRICES.parent / "sp500_membership.parquet")
    return as_eras(lay_out(panel, RULES, Course(rounds=rounds, training_eras=NEWEST - 100), members))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=120)
    parser.add_argument("--every", type=int, default=26)
    parser.add_argument("--markets", default="simulated,stocks")
    options = parser.parse_args()
    if "simulated" in options.markets:
        markets = [lambda seed=FRESH + n: simulated(seed, options.rounds) for n in range(options.worlds)]
        study("Simulated markets, 150 assets", markets, options.rounds, options.every)
    if "stocks" in options.markets:
        if PRICES.exists():
            study("Members of the S&P 500", [lambda: stocks(options.rounds)], options.rounds, options.every)
        else:
            print(f"\nStocks left out: there is no {PRICES}; REGATTA_SP500 names another place")


if __name__ == "__main__":
    main()
