"""Leading directions of many models: exact, whatever the spectrum and the order of the models."""

import numpy as np
import pytest

from tournament.selectors import spectrum
from tournament.selectors.spectrum import FEW, leading
from tournament.worlds.score_space import draw_world
from tournament.worlds.spec import Spec

MODELS = FEW + 60
ONES = np.ones(MODELS)


def themes(seed: int) -> np.ndarray:
    """Themes and groups beside noise that is alike for many models."""
    return draw_world(Spec(rounds=20, models=MODELS, themes=7, groups=9), seed).correlation_MM


def falling(power: float) -> np.ndarray:
    """A spectrum that falls off slowly."""
    factors = np.random.default_rng(0).standard_normal((MODELS, 100)) * np.arange(1, 101) ** -power
    factors = 0.95 * factors / np.linalg.norm(factors, axis=1, keepdims=True)
    return factors @ factors.T + np.diag(1.0 - (factors**2).sum(axis=1))


@pytest.mark.parametrize("correlations", [themes(1), themes(2), falling(0.6), falling(1.2)])
def test_directions_of_many_models_are_the_eigenvectors(correlations: np.ndarray) -> None:
    root = np.random.default_rng(1).uniform(0.5, 1.0, MODELS)
    matrix = correlations * np.outer(root, root)
    values, vectors = (found[..., ::-1] for found in np.linalg.eigh(matrix))

    value_Z, vector_MZ, image_MZ = leading(correlations, root, 20)

    count = len(value_Z)
    assert value_Z == pytest.approx(values[:count], abs=1e-5 * values[0])
    assert count == 20 or values[count] - values[20] < 20 * spectrum.SAME * values[0]
    inside = vectors[:, :count]
    assert np.linalg.norm(vector_MZ - inside @ (inside.T @ vector_MZ), axis=0).max() < 2e-3
    assert image_MZ == pytest.approx(matrix @ vector_MZ, abs=1e-4)


def test_the_order_of_many_models_does_not_matter() -> None:
    correlations, order = themes(3), np.random.default_rng(2).permutation(MODELS)

    straight, turned = (leading(C, ONES, 20) for C in (correlations, correlations[np.ix_(order, order)]))

    assert turned[0] == pytest.approx(straight[0], rel=1e-5)
    assert np.abs(turned[1]) == pytest.approx(np.abs(straight[1][order]), abs=1e-4)


def test_where_a_few_blocks_are_not_enough_restarts_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    correlations = themes(1)
    by_blocks = leading(correlations, ONES, 20)
    monkeypatch.setattr(spectrum, "BLOCKS", (1,))

    by_restarts = leading(correlations, ONES, 20)

    assert by_restarts[0] == pytest.approx(by_blocks[0], rel=1e-4)


@pytest.mark.parametrize("groups", [1, 2, MODELS])
def test_models_that_are_all_alike_or_all_apart_are_borne(groups: int) -> None:
    group = np.arange(MODELS) % groups
    correlations = np.where(group[:, None] == group, 0.4, 0.0) + 0.6 * np.eye(MODELS)

    value_Z, vector_MZ, _ = leading(correlations, ONES, 20)

    assert np.isfinite(vector_MZ).all()
    assert value_Z[0] == pytest.approx(np.linalg.eigvalsh(correlations)[-1], rel=1e-4)
