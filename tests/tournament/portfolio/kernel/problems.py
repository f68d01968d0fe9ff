"""Random rebalances: wide ranges, many degenerate, some that no book meets."""

from __future__ import annotations

import numpy as np

from tournament.portfolio.kernel.problem import Problem, Row, group_rows
from tournament.portfolio.risk import RiskModel


def plain_problem(assets: int = 120, seed: int = 0, **changed: object) -> Problem:
    """A long/short rebalance, net and beta neutral, whose gross binds."""
    rng = np.random.default_rng(seed)
    beta = 1 + 0.3 * rng.standard_normal(assets)
    deviation = 0.04 * np.exp(0.35 * rng.standard_normal(assets))
    loadings = np.column_stack([0.02 * beta, 0.007 * rng.standard_normal((assets, 5))])
    given: dict[str, object] = {
        "alpha_N": 0.03 * deviation * rng.standard_normal(assets), "risk": RiskModel(loadings, deviation**2),
        "previous_N": 0.01 * rng.standard_normal(assets) * (rng.random(assets) < 0.6),
        "lower_N": np.full(assets, -0.03), "upper_N": np.full(assets, 0.03), "aversion": 50.0,
        "rows": (Row("net", np.ones(assets)), Row("beta", beta)), "cost_N": np.full(assets, 5e-4), "gross": 1.0,
    }  # fmt: skip
    return Problem(**(given | changed))  # type: ignore[arg-type]


def random_problem(seed: int, sizes: tuple[int, ...] = (30, 60, 120)) -> Problem:
    """Drawn wide: aversion, costs, impact, limits, ties, doubled rows, assets that may not be traded."""
    rng = np.random.default_rng(seed)
    assets, factors = int(rng.choice(sizes)), int(rng.choice([0, 1, 5, 20]))
    beta, deviation = 1 + 0.3 * rng.standard_normal(assets), 0.04 * np.exp(0.5 * rng.standard_normal(assets))
    box = float(rng.choice([0.002, 0.01, 0.05, 1.0]))
    previous = rng.choice([0, 0.5, 3]) * min(box, 0.5 / assets) * rng.standard_normal(assets)
    previous *= rng.random(assets) < 0.5
    alpha = 0.03 * deviation * rng.standard_normal(assets) * rng.choice([0.1, 1, 10])
    if rng.random() < 0.2:
        alpha, deviation = np.round(alpha, 3), np.full(assets, 0.04)
    position = box * rng.uniform(0.2, 1, assets)
    problem = Problem(
        alpha, RiskModel(0.01 * rng.standard_normal((assets, factors)), deviation**2), previous,
        -position if rng.random() < 0.8 else np.zeros(assets), position, 10 ** rng.uniform(-1, 4),
        _rows(rng, assets, beta), float(rng.choice([0, 1e-5, 5e-4, 5e-3])) * rng.uniform(0.5, 2, assets),
        rng.choice([0, 0, 1e-3, 0.1]) * deviation, gross=float(rng.choice([0.05, 0.5, 1, np.inf])),
        turnover=float(rng.choice([0.3, 2, np.inf, np.inf])),
    )  # fmt: skip
    return problem.without_trades(rng.random(assets) < 0.1) if rng.random() < 0.2 else problem


def _rows(rng: np.random.Generator, assets: int, beta: np.ndarray) -> tuple[Row, ...]:
    net = float(rng.choice([0, 0, 0, 0.02, -0.1]))
    rows = [Row("net", np.ones(assets), net, net)] if rng.random() < 0.8 else []
    if rng.random() < 0.6:
        width = float(rng.choice([0, 0.05]))
        rows.append(Row("beta", beta, -width, width))
    if rng.random() < 0.4:
        rows += group_rows(rng.integers(0, 4, assets), kind="sector")
    if rng.random() < 0.1:
        rows.append(Row("net again", 2 * np.ones(assets), 2 * net, 2 * net))
    if rng.random() < 0.3:
        rows.append(Row("size", rng.standard_normal(assets), -np.inf, 0.02))
    return tuple(rows)
