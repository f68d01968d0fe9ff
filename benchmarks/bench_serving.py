"""How long do adapt and weights take when a round closes: 1,000 models, 320 rounds, one core?

PYTHONPATH=platform:. python benchmarks/bench_serving.py
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import numpy as np

from tests.tournament.selectors.explanation.ready import begun
from tournament.selectors.protocol import Budget, History, State
from tournament.selectors.registry import SERVED, make
from tournament.worlds.score_space import as_history, draw_world
from tournament.worlds.spec import Spec

SEED = 70_100
SURROUNDINGS = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
}  # fmt: skip
"""As the supervisor starts a worker; a process reads them once, when it begins."""
ALSO = ("boa", "bma", "gmm", "prototype", "lstm", "memory", "maml", "reptile", "policy", "committee")
"""Families that the site does not serve."""


def state_of(name: str, known: History, small: History) -> State:
    """A trained state; of networks the untrained one, which is as quick to ask.

    Trees and the kernel learn on a smaller world; the gate is the one that ships.
    """
    selector = make(name)
    if name in {"fforma", "committee", "kernel", "pretrained"}:
        return selector.meta_train([small], Budget())
    return begun(selector, known)


def milliseconds(name: str, past: History, state: State, first: int) -> np.ndarray:
    """Time of adapt and weights at each close (closes x 2): the thread's own work, and by the clock on the wall.

    The query is at hand; each close knows the rounds resolved since the last.
    """
    selector, found = make(name), []
    for row in range(first, len(past)):
        query = past.query(row)
        known = past.known_at(query.opens_at)
        start = np.array([time.thread_time(), time.perf_counter()])
        state = selector.adapt(state, known)
        selector.weights(state, query)
        found.append(1e3 * (np.array([time.thread_time(), time.perf_counter()]) - start))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=320, help="rounds known at the first close")
    parser.add_argument("--closes", type=int, default=100)
    parser.add_argument("--selectors", default=",".join(SERVED))
    options = parser.parse_args()
    spec = Spec(rounds=options.rounds + options.closes, models=options.models)
    past = as_history(draw_world(spec, SEED))
    small = as_history(draw_world(Spec(rounds=200, models=60), SEED))
    known = past.known_at(past.opens_at_R[options.rounds])
    print(f"{'milliseconds':18} {'p50':>7} {'p95':>7} {'p99':>7} {'least':>7} {'p50':>9} {'p99, by the clock':>18}")
    for name in options.selectors.split(","):
        found = milliseconds(name, past, state_of(name, known, small), options.rounds)
        (p50, wall50), (p95, _), (p99, wall99) = np.percentile(found[1:], (50, 95, 99), axis=0)
        print(
            f"{name:18} {p50:7.1f} {p95:7.1f} {p99:7.1f} {found[:, 0].min():7.1f} {wall50:9.1f} {wall99:18.1f}",
            flush=True,
        )


if __name__ == "__main__":
    if not os.environ.items() >= SURROUNDINGS.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | SURROUNDINGS)
    main()
