"""How near is s.w / sqrt(w'Cw) to the tournament's corr of the blend, which ranks and powers the blend itself?"""

from __future__ import annotations

import numpy as np

from tournament.scoring.blend import blend, linear_scores, model_correlations
from tournament.scoring.panel import score_panel
from tournament.selectors import algebra
from tournament.worlds.panel_space import WorldConfig, draw

BLENDS = 20


def errors(assets: int, rounds: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(assets)
    exact, near = [], []
    for one in draw(WorldConfig(seed=assets, assets=assets, models=40, rounds=rounds)).rounds():
        target = one.target_or_nan()
        scores, correlations = linear_scores(one.predictions_NM, target), model_correlations(one.predictions_NM)
        weights = rng.dirichlet(np.full(len(one.models), 0.3), BLENDS)
        blends = np.stack([blend(one.predictions_NM, row) for row in weights], axis=1)
        exact += score_panel(blends, target).corr.tolist()
        near += [algebra.corr(row, scores, correlations) for row in weights]
    return np.array(exact), np.array(near)


def main() -> None:
    print(f"{'assets':>8s} {'correlation':>12s} {'slope':>7s} {'mean apart':>11s} {'sd apart':>9s} {'sd of corr':>11s}")
    for assets in (100, 500, 2_000, 5_000):
        exact, near = errors(assets)
        slope = np.polyfit(near, exact, 1)[0]
        print(f"{assets:8d} {np.corrcoef(exact, near)[0, 1]:12.4f} {slope:7.3f} {(exact - near).mean():11.5f}"
              f" {(exact - near).std():9.5f} {exact.std():11.5f}")  # fmt: skip


if __name__ == "__main__":
    main()
