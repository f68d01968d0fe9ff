"""The loss that stands for the tournament's corr."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tournament.predictors.drawn import drawn
from tournament.gradient_learning import Inner, meta_gradient
from tournament.predictors.eras import eras_of
from tournament.predictors.network import SMOOTHING, FeatureNetwork, sections, soft_corr
from tournament.scoring.panel import score_panel
from tournament.scoring.ranks import power_15


def unit(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean()
    return centred / np.sqrt((centred**2).sum())


def test_the_soft_corr_is_its_numpy_twin_s_and_reads_no_row_without_a_target() -> None:
    rng = np.random.default_rng(0)
    target, values = rng.integers(0, 5, 50) / 4, rng.normal(size=80)
    made = eras_of([(1, np.zeros((50, 2)), target), (2, np.zeros((80, 2)), rng.random(80))])

    found = soft_corr(torch.tensor(np.stack([values, values]), dtype=torch.float32), sections(made))[0]

    z = unit(values[:50]) * np.sqrt(50)
    twin = unit(z * (z**2 + SMOOTHING) ** 0.25) @ unit(power_15(target - target.mean()))
    assert found.item() == pytest.approx(twin, abs=1e-5)


def test_the_soft_corr_is_near_the_tournament_s_corr_where_values_are_nearly_gaussian() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 200))
    target = np.floor((values + 3 * rng.normal(size=values.shape)).argsort(1).argsort(1) * 5 / 200) / 4
    made = eras_of([(era, np.zeros((200, 2)), target[era]) for era in range(40)])

    soft = soft_corr(torch.tensor(values, dtype=torch.float32), sections(made)).numpy()

    exact = np.array([score_panel(v[:, None], t).corr[0] for v, t in zip(values, target, strict=True)])
    assert np.corrcoef(soft, exact)[0, 1] > 0.98
    assert np.abs(soft - exact).max() < 0.05


def test_an_era_in_which_nothing_varies_gives_nothing_and_breaks_nothing() -> None:
    flat = eras_of([(1, np.zeros((6, 3)), np.full(6, 0.5)), (2, np.zeros((6, 3)), np.arange(6) / 5)])
    network = FeatureNetwork(3)

    loss = network.loss(network.parameters_by_name(), sections(flat))
    loss.backward()

    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert all(torch.isfinite(values.grad).all() for values in network.parameters())


def test_the_second_order_gradient_is_finite_where_values_are_zero() -> None:
    network = FeatureNetwork(12)
    start = {name: torch.zeros_like(values) for name, values in network.named_parameters()}
    data = sections(drawn(eras=4))
    batch = type(data)(*(values[None] for values in data))

    gradient = meta_gradient(network.loss, start, batch, batch, Inner(2, 1.0))

    assert all(torch.isfinite(values).all() for values in gradient.values())
