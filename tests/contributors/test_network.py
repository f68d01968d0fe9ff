"""The fleet sails several tournaments in one process: what one trains must not move what another draws."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from contributors.network import TorchMLP


def test_networks_trained_at_the_same_time_are_those_trained_alone() -> None:
    rng = np.random.default_rng(0)
    features, target = rng.standard_normal((3_000, 12)), rng.standard_normal(3_000)

    def fit(seed: int) -> np.ndarray:
        return TorchMLP(epochs=4, seed=seed).fit(features, target).predict(features[:50])

    alone = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, range(4)))

    assert [one.tobytes() for one in alone] == [one.tobytes() for one in together]
