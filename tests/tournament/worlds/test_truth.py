"""What is written beside a simulated archive is enough to know its world, and the filter that knows it is informed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tournament.archive import history_from_archive, read_archive
from tournament.errors import BadArchive
from tournament.selectors.protocol import History
from tournament.worlds.panel_space import CONTEXT, World, WorldConfig, draw, stay_probabilities, write_world
from tournament.worlds.truth import (
    Truth,
    informed_beliefs,
    informed_weights,
    oracle_weights,
    read_truth,
    unsmoothed,
)

CONFIG = WorldConfig(seed=1, assets=200, models=12, rounds=120, regimes=3)


@pytest.fixture(scope="module")
def world() -> World:
    return draw(CONFIG)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth") / "world"
    write_world(world, folder)
    return folder


@pytest.fixture(scope="module")
def past(folder: Path) -> History:
    return history_from_archive(read_archive(folder))


@pytest.fixture(scope="module")
def truth(folder: Path, past: History) -> Truth:
    found = read_truth(folder, past)
    assert found is not None
    return found


def test_the_truth_is_read_as_it_was_written(world: World, truth: Truth) -> None:
    np.testing.assert_array_equal(truth.regime_R, world.truth.regime_R)
    np.testing.assert_array_equal(truth.expected_KM, world.truth.expected_KM)
    np.testing.assert_array_equal(truth.error_KMM, world.truth.error_KMM)
    assert truth.law is not None
    np.testing.assert_array_equal(truth.law.level_KC, world.truth.level_KC)


def test_smoothing_and_exponentials_are_undone(past: History, world: World, truth: Truth) -> None:
    assert truth.law is not None
    raw = unsmoothed(past.context_RK, truth.law)

    smooth = pd.DataFrame(raw).rolling(4, min_periods=1).mean().to_numpy(copy=True)
    smooth[:, :3] = np.exp(0.5 * smooth[:, :3])
    noise = raw - world.truth.level_KC[world.truth.regime_R]
    np.testing.assert_allclose(smooth, past.context_RK, rtol=1e-9)
    assert noise.std() == pytest.approx(2 * CONFIG.context_noise, rel=0.1)
    assert abs(np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1]) < 0.25


def test_stays_last_as_long_as_the_law_says() -> None:
    config = WorldConfig(rounds=9000, regimes=3, mean_stay=12, models=2, assets=20)
    regime = draw(config).truth.regime_R
    lengths = np.diff(np.flatnonzero(np.diff(regime)))

    share = np.bincount(lengths, minlength=40)[1:40] / len(lengths)

    probability = stay_probabilities(config)
    assert probability.sum() == pytest.approx(1.0)
    assert (probability * np.arange(1, len(probability) + 1)).sum() == pytest.approx(lengths.mean(), rel=0.06)
    np.testing.assert_allclose(share, probability[:39], atol=0.025)


def test_expected_corr_of_one_model_is_its_expected_score(past: History, truth: Truth) -> None:
    alone = np.zeros(past.scores_RM.shape)
    alone[:, 4] = 1.0

    np.testing.assert_allclose(truth.expected_corr(alone), truth.expected_KM[truth.regime_R, 4])


def test_expected_corr_is_what_blends_score_on_average() -> None:
    config = WorldConfig(seed=2, assets=300, models=10, rounds=500, regimes=1, joiners=0.0, skill=0.03, persistence=0.0)
    world = draw(config)
    from tournament.archive import history_from_rounds
    from tournament.evaluation.walk_forward import blend_corr

    past = history_from_rounds(world.rounds(), CONTEXT, world.models)
    equal = np.full(past.scores_RM.shape, 0.1)
    truth = Truth(world.truth.regime_R, world.truth.expected_KM, world.truth.error_KMM, None)

    assert blend_corr(equal, past).mean() == pytest.approx(truth.expected_corr(equal).mean(), rel=0.06)


def test_knowing_more_is_worth_more(past: History, truth: Truth) -> None:
    rows = range(20, 120)
    equal = past.active_RM / past.active_RM.sum(axis=1, keepdims=True)

    corr = [
        np.nanmean(truth.expected_corr(weights)[20:])
        for weights in (equal, informed_weights(truth, past, rows), oracle_weights(truth, past, rows))
    ]

    assert corr[0] < corr[1] < corr[2]


@pytest.mark.parametrize("knows_the_law", [True, False])
def test_the_filter_hears_of_no_score_before_its_time(past: History, truth: Truth, knows_the_law: bool) -> None:
    truth = truth if knows_the_law else replace(truth, law=None)
    scores = past.scores_RM.copy()
    scores[past.resolves_at_R > past.opens_at_R[80]] *= -3.0

    other = informed_beliefs(truth, replace(past, scores_RM=scores))

    np.testing.assert_array_equal(informed_beliefs(truth, past)[:81], other[:81])
    assert not np.array_equal(informed_beliefs(truth, past)[86:], other[86:])


def test_the_filter_sees_no_later_context(past: History, truth: Truth) -> None:
    context = past.context_RK.copy()
    context[81:] *= 1.5

    other = informed_beliefs(truth, replace(past, context_RK=context))

    np.testing.assert_array_equal(informed_beliefs(truth, past)[:81], other[:81])


def test_the_filter_is_sure_where_contexts_tell_all(tmp_path: Path) -> None:
    write_world(draw(replace(CONFIG, context_noise=0.05)), tmp_path / "clear")
    past = history_from_archive(read_archive(tmp_path / "clear"))
    truth = read_truth(tmp_path / "clear", past)
    assert truth is not None

    assert (informed_beliefs(truth, past).argmax(axis=1) == truth.regime_R).mean() > 0.97


def test_a_world_without_a_written_law_is_filtered_by_what_its_regimes_show(past: History, truth: Truth) -> None:
    rows = range(20, 120)
    equal = past.active_RM / past.active_RM.sum(axis=1, keepdims=True)

    told = np.nanmean(truth.expected_corr(informed_weights(replace(truth, law=None), past, rows)))

    assert told > truth.expected_corr(equal)[20:].mean()


def test_an_archive_without_truth_has_none(past: History, tmp_path: Path) -> None:
    assert read_truth(tmp_path, past) is None


def test_a_truth_that_does_not_fit_is_refused(folder: Path, past: History, tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    for path in (folder / "truth").iterdir():
        (tmp_path / "truth" / path.name).write_bytes(path.read_bytes())
    regimes = pd.read_parquet(tmp_path / "truth/regimes.parquet")
    regimes.iloc[:50].to_parquet(tmp_path / "truth/regimes.parquet", index=False)

    with pytest.raises(BadArchive, match="lacks rounds"):
        read_truth(tmp_path, past)
