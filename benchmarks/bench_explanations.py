"""How long a selector takes to explain its weights, beside giving them: 34 models, 160 rounds, 12 context columns.

CPU milliseconds of one round on one core, the median of several. Networks are asked as they are before any training,
which costs the same. The history is drawn: times depend on its shape alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tests.tournament.selectors.explanation.ready import begun
from tournament.markets.context import CONTEXT_NAMES
from tournament.selectors.protocol import History
from tournament.selectors.registry import SERVED, make

ROUNDS, MODELS, EARLIER, REPEATS = 160, 34, 300, 9
WEEK = np.timedelta64(7, "D")


def drawn() -> History:
    rng = np.random.default_rng(0)
    predictions = rng.standard_normal((MODELS, 200)) + rng.standard_normal((1, 200))
    correlations = np.broadcast_to(np.corrcoef(predictions).astype(np.float32), (ROUNDS, MODELS, MODELS))
    opens = (np.datetime64("2020-01-03T18:00:00") + np.arange(ROUNDS) * WEEK).astype("datetime64[s]")
    contexts = np.exp(rng.normal(0.0, 0.3, (EARLIER + ROUNDS, len(CONTEXT_NAMES))))
    return History(
        np.arange(1, ROUNDS + 1), tuple(f"model_{number}" for number in range(MODELS)), opens, opens + 5 * WEEK,
        np.ones((ROUNDS, MODELS), dtype=bool), rng.normal(0.01, 0.05, (ROUNDS, MODELS)), correlations,
        contexts[EARLIER:], CONTEXT_NAMES, np.ones((ROUNDS, MODELS)), contexts[:EARLIER],
    )  # fmt: skip


def milliseconds(act: Callable[[], object]) -> float:
    act()
    found = []
    for _ in range(REPEATS):
        start = time.process_time()
        act()
        found.append(1e3 * (time.process_time() - start))
    return float(np.median(found))


def main() -> None:
    past = drawn()
    known, query = past.known_at(past.opens_at_R[-1]), past.query(ROUNDS - 1)
    print(f"{'family':18} {'weights, ms':>12} {'explained, ms':>14} {'added, ms':>10}")
    for name in SERVED:
        selector = make(name)
        state = selector.adapt(begun(selector, known), known)
        weights = milliseconds(lambda: selector.weights(state, query))  # noqa: B023
        explained = milliseconds(lambda: selector.explain(state, query))  # noqa: B023
        print(f"{name:18} {weights:12.1f} {explained:14.1f} {explained - weights:10.1f}")


if __name__ == "__main__":
    main()
