"""Rebalances for benchmarks and their oracle's tests: days in sequence, and random problems with degenerate ones."""

import numpy as np

from tournament.portfolio.kernel.problem import Problem, Row, group_rows
from tournament.portfolio.risk import RiskModel

SIZES = (50, 120, 300, 800, 2000)


def days(assets, count, *, factors=20, seed=7, next_book=None):
    """Long/short days in sequence: alpha, exposures, risk and holdings all move; `next_book(problem)` is traded to."""
    rng = np.random.default_rng(seed + assets)
    beta = 1 + 0.3 * rng.standard_normal(assets)
    loadings = np.column_stack([0.02 * beta, 0.007 * rng.standard_normal((assets, factors - 1))])
    deviation = np.exp(np.log(0.04) + 0.35 * rng.standard_normal(assets))
    signal, previous = rng.standard_normal(assets), np.zeros(assets)
    for _ in range(count):
        signal = 0.9 * signal + np.sqrt(0.19) * rng.standard_normal(assets)
        loadings = loadings + 7e-5 * rng.standard_normal(loadings.shape)
        deviation = deviation * np.exp(0.01 * rng.standard_normal(assets))
        beta = beta + 0.003 * rng.standard_normal(assets)
        problem = Problem(
            0.03 * deviation * signal, RiskModel(loadings, deviation**2), previous, np.full(assets, -0.01),
            np.full(assets, 0.01), 50.0, (Row("net", np.ones(assets)), Row("beta", beta)),
            cost_N=np.full(assets, 5e-4), gross=1.0,
        )  # fmt: skip
        yield problem
        if next_book is not None:
            previous = next_book(problem) * (1 + 0.01 * rng.standard_normal(assets))


def random_problem(seed, sizes=SIZES):
    """A problem drawn wide: any aversion, costs, impact, limits; many of them degenerate, some without any book."""
    rng = np.random.default_rng(seed)
    assets, factors = int(rng.choice(sizes)), int(rng.choice([0, 1, 5, 20]))
    beta = 1 + 0.3 * rng.standard_normal(assets)
    deviation = np.exp(np.log(0.04) + 0.5 * rng.standard_normal(assets))
    loadings = 0.01 * rng.standard_normal((assets, factors))
    box, shared = float(rng.choice([0.002, 0.01, 0.05, 1.0])), float(rng.choice([0, 1e-5, 5e-4, 5e-3]))
    position = box * rng.uniform(0.2, 1, assets) if rng.random() < 0.5 else np.full(assets, box)
    previous = (
        rng.choice([0, 0.5, 0.5, 3]) * min(box, 0.5 / assets) * rng.standard_normal(assets) * (rng.random(assets) < 0.5)
    )
    alpha = 0.03 * deviation * rng.standard_normal(assets) * rng.choice([0, 0.1, 1, 10])
    if rng.random() < 0.2:  # ties: equal assets, where the book jumps between kinks
        alpha, deviation = np.round(alpha, 3), np.full(assets, 0.04)
    problem = Problem(
        alpha, RiskModel(loadings, deviation**2), previous, -position if rng.random() < 0.8 else np.zeros(assets),
        position, 10 ** rng.uniform(-1, 4), _rows(rng, assets, beta, previous), shared * rng.uniform(0.5, 2, assets),
        rng.choice([0, 0, 1e-3, 0.1]) * deviation, gross=float(rng.choice([0.05, 0.5, 1, 3, np.inf])),
        turnover=float(rng.choice([0.3, 2.0, 10.0, np.inf, np.inf, np.inf])),
    )  # fmt: skip
    return problem.without_trades(rng.random(assets) < 0.1) if rng.random() < 0.2 else problem


def _rows(rng, assets, beta, previous):
    net = float(rng.choice([0, 0, 0, 0, 0, 0.02, -0.1]))
    rows = [Row("net", np.ones(assets), net, net)] if rng.random() < 0.8 else []
    if rng.random() < 0.6:
        width = float(rng.choice([0, 0, 0.05]))
        rows.append(Row("beta", beta, -width, width))
    if rng.random() < 0.4:
        rows += group_rows(rng.integers(0, int(rng.choice([3, 11])), assets), kind="sector")
    if rng.random() < 0.1:
        rows.append(Row("net again", 2 * np.ones(assets), 2 * net, 2 * net))
    if rng.random() < 0.3:
        rows.append(Row("size", rng.standard_normal(assets), -np.inf, 0.02))
    return tuple(rows)
