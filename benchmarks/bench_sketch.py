"""How near is a sketch of how alike models are to the table of all pairs, and what does it cost beyond it?

PYTHONPATH=platform:. python benchmarks/bench_sketch.py
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tournament.selectors import algebra
from tournament.selectors.allocator import best_blend, copies
from tournament.selectors.baselines import STACK_RIDGE
from tournament.selectors.sketch import Sketch, sketch

ASSETS, THEMES, GROUPS, COPIED = 2_000, 40, 60, 0.1


def panel(models: int, seed: int = 0) -> np.ndarray:
    """Standardised predictions: themes that few models share, group errors, own errors; one in ten a near copy."""
    rng = np.random.default_rng(seed)
    loading = np.abs(rng.standard_normal((THEMES, models))) * (rng.random((THEMES, models)) < 0.15)
    values = rng.standard_normal((ASSETS, THEMES)) @ loading + 0.7 * rng.standard_normal((ASSETS, models))
    values += 0.7 * rng.standard_normal((ASSETS, GROUPS))[:, rng.integers(GROUPS, size=models)]
    copied = rng.permutation(models)[: int(COPIED * models)]
    values[:, copied] = values[:, rng.integers(models, size=len(copied))]
    values[:, copied] += 0.05 * values.std() * rng.standard_normal((ASSETS, len(copied)))
    return ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """The answer, and milliseconds of this thread."""
    start = time.thread_time()
    return act(), 1e3 * (time.thread_time() - start)


def costs(found: Sketch, mu: np.ndarray, line: str) -> np.ndarray:
    """Print what each step costs, copies at hand; gives the weights."""
    active = np.ones(len(mu), dtype=bool)
    held, copying = timed(lambda: copies(found, active))
    weights, weighing = timed(lambda: best_blend(mu, found, active, ridge=STACK_RIDGE, copies_M=held))
    _, once = timed(lambda: (algebra.gradient(weights, mu, found), algebra.leave_one_out(weights, mu, found)))
    _, shapley = timed(lambda: algebra.shapley(weights, mu, found, rng=np.random.default_rng(0)))
    print(f"{line}: copies {copying:.0f} ms, weights {weighing:.0f} ms ({(weights > 0).sum()} models),"
          f" gradient and leave-one-out {once:.1f} ms, Shapley values {shapley:.0f} ms")  # fmt: skip
    return weights


def main() -> None:
    values = panel(2_000)
    table = (values.T @ values / ASSETS).astype(float)
    mu = np.random.default_rng(1).normal(0.005, 0.02, 2_000)
    exact = costs(table, mu, "2,000 models, the table")  # type: ignore[arg-type]
    for factors in (64, 128, 256, 512):
        found, making = timed(lambda: sketch(values, factors=factors))  # noqa: B023
        weights = costs(found, mu, f"2,000 models, {factors} factors, made in {making / 1e3:.1f} s")
        apart = found.rows(np.arange(2_000)) - table
        variance = exact @ found @ exact / (exact @ table @ exact) - 1.0
        corr = algebra.corr(weights, mu, table) / algebra.corr(exact, mu, table) - 1.0
        print(f"   correlations apart {apart.std():.4f} (sd), variance of the exact blend {variance:+.2%}, half the"
              f" weights' change {np.abs(weights - exact).sum() / 2:.3f}, corr of the blend {corr:+.2%}")  # fmt: skip
    found, making = timed(lambda: sketch(panel(10_000)))
    costs(found, np.random.default_rng(1).normal(0.005, 0.02, 10_000), f"10,000 models, made in {making / 1e3:.1f} s")
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
