"""A simulated world keeps its word: what its truth says is what its panels show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tournament.archive import history_from_archive, history_from_rounds, read_archive
from tournament.errors import BadConfig
from tournament.selectors.protocol import History
from tournament.worlds.panel_space import CONTEXT, World, WorldConfig, draw, write_world

CONFIG = WorldConfig(
    seed=3, assets=400, models=8, rounds=240, regimes=2, groups=3, overlap=1, separation=0.05, persistence=0.0
)


@pytest.fixture(scope="module")
def world() -> World:
    return draw(CONFIG)


@pytest.fixture(scope="module")
def past(world: World) -> History:
    return history_from_rounds(world.rounds(), CONTEXT, world.models)


def of_regime(past: History, world: World, regime: int) -> np.ndarray:
    """Scores of the regime's rounds, a row each, and only of models that were there from the start."""
    return past.scores_RM[world.truth.regime_R == regime]


@pytest.mark.parametrize("regime", [0, 1])
def test_scores_are_on_average_what_the_truth_expects(world: World, past: History, regime: int) -> None:
    scores = of_regime(past, world, regime)
    count = np.isfinite(scores).sum(axis=0)
    error = np.nanstd(scores, axis=0, ddof=1) / np.sqrt(count)

    distance = (np.nanmean(scores, axis=0) - world.truth.expected_KM[regime]) / error

    assert np.abs(distance).max() < 3.5
    assert np.abs(distance).mean() < 1.3


def test_scores_vary_together_as_the_true_error_covariance_says(world: World, past: History) -> None:
    present = world.joins_M == 0
    gaps = np.vstack(
        [of_regime(past, world, regime)[:, present] - world.truth.expected_KM[regime, present] for regime in (0, 1)]
    )
    share = np.bincount(world.truth.regime_R) / CONFIG.rounds
    expected = np.einsum("k,kij->ij", share, world.truth.error_KMM)[np.ix_(present, present)]

    found = gaps.T @ gaps / len(gaps)

    np.testing.assert_allclose(np.sqrt(np.diag(found)), np.sqrt(np.diag(expected)), rtol=0.15)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=0.25)


def test_regimes_differ_in_who_is_good(world: World) -> None:
    assert np.abs(world.truth.expected_KM[0] - world.truth.expected_KM[1]).max() > 0.05


def neighbours(rows: np.ndarray, distance: int) -> float:
    """Mean correlation of the rows with those `distance` after them."""
    return float(np.mean([np.corrcoef(*pair)[0, 1] for pair in zip(rows, rows[distance:], strict=False)]))


def test_targets_of_neighbouring_rounds_overlap() -> None:
    world = draw(WorldConfig(seed=1, assets=400, models=2, rounds=200, overlap=4))
    targets = np.array([one.target_or_nan() for one in world.rounds()])

    found = [neighbours(targets, distance) for distance in (1, 2, 3, 4)]

    # three, two, one and no week in common; the bins of the target keep about 88 % of it
    np.testing.assert_allclose(found, [0.66, 0.44, 0.22, 0.0], rtol=0, atol=0.03)


@pytest.mark.parametrize(("persistence", "expected"), [(0.0, 0.0), (1.0, 0.66)])
def test_scores_of_overlapping_rounds_move_together_as_far_as_errors_persist(
    persistence: float, expected: float
) -> None:
    sizes = {"assets": 100, "models": 30, "rounds": 300, "regimes": 1, "groups": 30}
    world = draw(WorldConfig(seed=1, overlap=4, joiners=0.0, persistence=persistence, **sizes))

    scores = history_from_rounds(world.rounds(), CONTEXT, world.models).scores_RM

    assert np.mean([np.corrcoef(one[:-1], one[1:])[0, 1] for one in scores.T]) == pytest.approx(expected, abs=0.05)


def test_models_join_and_stay(world: World) -> None:
    seen = np.array([[name in one.models for name in world.models] for one in world.rounds()])

    assert (np.diff(seen.astype(int), axis=0) >= 0).all()
    assert seen[0, :2].all()


def test_contexts_tell_the_regime_without_noise() -> None:
    world = draw(WorldConfig(seed=2, rounds=60, regimes=2, context_noise=0.0))
    regime = world.truth.regime_R
    settled = [row for row in range(4, 60) if len(set(regime[row - 3 : row + 1])) == 1]

    by_regime = {int(regime[row]): world.context_RC[row] for row in settled}

    for row in settled:
        np.testing.assert_allclose(world.context_RC[row], by_regime[int(regime[row])], rtol=1e-12, atol=1e-12)


def test_the_same_seed_gives_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    small = {"assets": 30, "models": 3, "rounds": 12}
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        write_world(draw(WorldConfig(seed=seed, **small)), tmp_path / name)

    def files(name: str) -> dict[str, bytes]:
        folder = tmp_path / name
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}

    assert files("one") == files("again")
    assert files("one").keys() == files("other").keys()
    assert files("one")["predictions/00001.parquet"] != files("other")["predictions/00001.parquet"]


def test_a_written_world_is_an_archive_with_its_truth_beside(tmp_path: Path) -> None:
    world = draw(WorldConfig(seed=4, assets=30, models=3, rounds=12, regimes=2))
    write_world(world, tmp_path / "world")

    archive = read_archive(tmp_path / "world")
    truth = {path.stem: pd.read_parquet(path) for path in (tmp_path / "world/truth").iterdir()}

    assert len(history_from_archive(archive)) == 12
    assert truth["regimes"]["regime"].tolist() == world.truth.regime_R.tolist()
    expected = truth["expected_corr"].pivot(index="regime", columns="model", values="expected_corr")
    np.testing.assert_array_equal(expected, world.truth.expected_KM)
    errors = truth["error_covariance"].query("regime == 1").pivot(index="model", columns="other", values="covariance")
    np.testing.assert_array_equal(errors, world.truth.error_KMM[1])


def test_impossible_worlds_are_refused_with_every_reason() -> None:
    with pytest.raises(BadConfig) as caught:
        WorldConfig(assets=3, joiners=1.5, context_noise=-1.0)

    assert str(caught.value).splitlines() == [
        "assets is 3; give 20 to 100000",
        "context_noise is -1.0; give 0 to 100",
        "joiners is 1.5; give 0 to 1",
    ]
