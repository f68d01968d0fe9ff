"""How much faster than the official library is a round scored? corr + mmc, 1,000 models x 5,000 rows, one core."""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np
import pandas as pd
from numerai_tools import scoring as official

from tournament.scoring.panel import score_panel

ROWS, MODELS, OFFICIAL_MODELS, REPEATS = 5000, 1000, 60, 5


def seconds(run):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main():
    rng = np.random.default_rng(0)
    predictions = rng.random((ROWS, MODELS)).astype(np.float32)
    target = rng.choice([0, 0.25, 0.5, 0.75, 1], ROWS, p=[0.05, 0.2, 0.5, 0.2, 0.05])
    meta = predictions[:, :40].mean(axis=1).astype(float)
    index = pd.Index([f"n{i:06d}" for i in range(ROWS)], name="id")
    frame = pd.DataFrame(
        predictions[:, :OFFICIAL_MODELS].astype(float), index, [f"m{i}" for i in range(OFFICIAL_MODELS)]
    )
    t, m = pd.Series(target, index, name="t"), pd.Series(meta, index, name="m")
    columns = np.ascontiguousarray(predictions.T)

    peer = seconds(lambda: (official.numerai_corr(frame, t), official.correlation_contribution(frame, m, t)))
    ours = seconds(lambda: score_panel(predictions, target, meta_N=meta))
    floor = seconds(lambda: np.argsort(columns, axis=1))

    print(f"{'corr + mmc, one core':28}{'us a model':>12}{'ratio':>10}")
    print(f"{'numerai-tools':28}{peer / OFFICIAL_MODELS * 1e6:12.0f}{1.0:10.1f}")
    print(f"{'regatta':28}{ours / MODELS * 1e6:12.0f}{peer / OFFICIAL_MODELS / (ours / MODELS):10.1f}  times as fast")
    print(f"{'floor: one argsort':28}{floor / MODELS * 1e6:12.0f}{ours / floor:10.2f}  floors taken by regatta")


if __name__ == "__main__":
    main()
