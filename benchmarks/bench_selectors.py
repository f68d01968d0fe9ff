"""How much of the informed filter's gain does each selector reach, on fresh worlds of two kinds and in traps?

PYTHONPATH=platform:. python benchmarks/bench_selectors.py --worlds 20 --selectors ridge,hmm,pretrained
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from tests.tournament.worlds import drifting
from tournament.selectors.registry import make
from tournament.worlds.judging import Verdict, judge
from tournament.worlds.oracles import informed_means
from tournament.worlds.score_space import draw_world
from tournament.worlds.spec import Spec

FRESH = 70_000
"""Seeds of these worlds; pre-training uses others."""
BASE = Spec(rounds=600)
KINDS = {
    "regimes-500": BASE, "regimes-5000": replace(BASE, assets=5000), "no-regime": replace(BASE, regimes=1),
    "no-skill": replace(BASE, payoff=0.0), "clone-flood": replace(BASE, clones=0.7), "drifting-500": None,
    "drifting-5000": None,
}  # fmt: skip
ROWS = np.arange(430, 600, 5)


def verdict(kind: str, seed: int, names: list[str]) -> Verdict:
    selectors = {name: make(name) for name in names}
    spec = KINDS[kind]
    if spec is None:
        drawn = drifting.draw(seed, assets=int(kind.split("-")[1]))
        return judge(drawn.world, drawn.informed_RM, selectors, ROWS)
    world = draw_world(spec, seed)
    return judge(world, informed_means(world), selectors, ROWS)


def table(kind: str, verdicts: list[Verdict], names: list[str]) -> None:
    equal, informed = (np.array([getattr(one, name) for one in verdicts]) for name in ("equal", "informed"))
    print(f"\n{kind}: {len(verdicts)} worlds, corr of equal weight {equal.mean():.4f}, informed {informed.mean():.4f}")
    values = {name: np.array([one.by_selector[name] for one in verdicts]) for name in names}
    best = values[names[0]]
    for name in names:
        share = (values[name] - equal).mean() / (informed - equal).mean()
        apart = 100 * (values[name] - best) / (informed - equal).mean()
        error = apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else float("nan")
        print(f"  {name:16s} corr {values[name].mean():+.4f}  share of gain {100 * share:6.1f} %"
              f"  over {names[0]} {apart.mean():+6.1f} ± {error:.1f} points")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--selectors", default="ridge,hmm,kernel,pretrained")
    parser.add_argument("--kinds", default=",".join(KINDS))
    options = parser.parse_args()
    names = options.selectors.split(",")
    for kind in options.kinds.split(","):
        start = time.monotonic()
        table(kind, [verdict(kind, FRESH + number, names) for number in range(options.worlds)], names)
        print(f"  ({time.monotonic() - start:.0f} s)")


if __name__ == "__main__":
    main()
