"""Features, contexts, targets and ids: what they read, and what they must not tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tournament.markets.panels import changed_after, long_table, world
from tournament.errors import BadConfig, BadPanel
from tournament.markets import dataset
from tournament.markets.context import CONTEXT_NAMES, context_matrix
from tournament.markets.features import FEATURES, bin_features, feature_cube
from tournament.markets.panel import PricePanel, bundled_sp500, read_prices
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.markets.targets import bin_target, forward_returns, neutral_returns
from tournament.rules import Rules

KEY = b"a key of thirty-two bytes or so."
ROW = 700


def test_no_feature_reads_a_later_price() -> None:
    panel = world().panel

    before = feature_cube(panel, np.array([600, ROW]))[1]
    after = feature_cube(changed_after(panel, ROW), np.array([600, ROW]))[1]

    assert np.array_equal(before, after, equal_nan=True)


def test_every_feature_reads_prices_at_all() -> None:
    panel = world().panel

    before, after = (feature_cube(one, np.array([850]))[1] for one in (panel, changed_after(panel, 20)))

    changed = ~np.isclose(before, after, equal_nan=True).all(axis=(0, 1))
    assert changed.all(), np.array(list(FEATURES))[~changed]


def test_no_context_reads_a_later_price() -> None:
    panel = world().panel

    before, after = (context_matrix(one, np.array([600, ROW])) for one in (panel, changed_after(panel, ROW)))

    assert np.array_equal(before, after)
    assert before.shape == (2, len(CONTEXT_NAMES))


def test_a_live_section_is_the_same_whatever_comes_later() -> None:
    panel, cut = world().panel, ROW

    ours = dataset.cross_section(panel, cut, "0001", KEY).frame()
    theirs = dataset.cross_section(panel.rows(slice(0, cut + 1)), cut, "0001", KEY).frame()

    pd.testing.assert_frame_equal(ours, theirs)


def test_features_are_five_bins_with_missing_in_the_middle() -> None:
    raw = np.arange(100.0)[None, :, None].copy()
    raw[0, :10] = np.nan

    binned = bin_features(raw, np.ones((1, 100), dtype=bool))

    assert (binned[0, :10] == 2).all()
    assert np.bincount(binned[0, 10:, 0]).tolist() == [18] * 5


def test_targets_have_the_shares_of_the_five_bins() -> None:
    binned = bin_target(np.random.default_rng(0).normal(size=(1, 1000)))[0]

    assert [int((binned == value).sum()) for value in (0, 0.25, 0.5, 0.75, 1)] == [50, 200, 500, 200, 50]


def test_a_target_is_unknown_until_its_last_day() -> None:
    panel, rules = world().panel, Rules()
    row = len(panel.dates_D) - rules.lag_days - rules.horizon_days - 1

    raw = forward_returns(panel, np.array([row, row + 1]), horizon=rules.horizon_days, lag=rules.lag_days)

    assert np.isfinite(raw[0]).all()
    assert np.isnan(raw[1]).all()


def test_neutral_returns_owe_nothing_to_sector_or_size() -> None:
    panel = world(assets=120).panel
    rows = np.array([ROW])

    left = neutral_returns(forward_returns(panel, rows, horizon=20, lag=2), panel, rows)[0]

    assert panel.sectors is not None
    means = pd.Series(left).groupby(list(panel.sectors)).mean()
    assert np.abs(means).max() < 1e-9
    assert abs(left.mean()) < 1e-9


def test_train_files_end_before_the_first_round_can_tell() -> None:
    panel, rules = world(weeks=60).panel, Rules()
    cut = len(panel.dates_D) - 100

    ours = dataset.history_frames(panel, rules, KEY, cut)
    theirs = dataset.history_frames(changed_after(panel, cut), rules, KEY, cut)

    assert all(ours[name].equals(theirs[name]) for name in ("train", "validation"))
    assert set(ours["train"]["era"]).isdisjoint(ours["validation"]["era"])
    assert ours["train"]["target"].notna().all()


def test_ids_differ_by_era_and_do_not_show_the_asset() -> None:
    first, second = (dataset.asset_id(KEY, era, "AAPL") for era in ("0001", "0002"))

    assert first != second
    assert "AAPL" not in first
    assert dataset.asset_id(b"another key", "0001", "AAPL") != first


def test_the_description_names_every_feature_and_group() -> None:
    names = tuple(FEATURES)

    description = json.loads(dataset.features_json(names))

    assert description["features"] == list(names)
    assert sorted(name for group in description["groups"].values() for name in group) == sorted(names)
    assert len(names) >= 38


def test_too_short_a_panel_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    long_table(days=400).to_parquet(tmp_path / "prices.parquet")

    with pytest.raises(BadPanel, match="400 dates; the first era needs 504"):
        dataset.era_rows(read_prices(tmp_path / "prices.parquet"), Rules())


def test_the_same_seed_simulates_the_same_prices() -> None:
    first, second = world(seed=4), world(seed=4)

    assert np.array_equal(first.panel.close_DN, second.panel.close_DN)
    assert not np.array_equal(first.panel.close_DN, world(seed=5).panel.close_DN)


def test_each_regime_pays_its_own_characteristics() -> None:
    market = simulate(SimulationConfig(seed=1, assets=150, weeks=400))
    rows = np.arange(560, len(market.panel.dates_D) - 30, 5)
    names, raw = feature_cube(market.panel, rows)
    returns = neutral_returns(forward_returns(market.panel, rows, horizon=20, lag=2), market.panel, rows)
    momentum = raw[:, :, names.index("momentum_6_1")]
    pay = np.array([np.corrcoef(m, r)[0, 1] for m, r in zip(momentum, returns, strict=True)])

    regime = market.regime_D[rows]

    assert pay[regime == 0].mean() > 0.05
    assert pay[regime == 3].mean() < -0.05


def test_too_small_a_simulation_is_refused() -> None:
    with pytest.raises(BadConfig, match="at least 20 assets"):
        SimulationConfig(assets=5)


def test_the_bundled_prices_are_twenty_stocks_over_three_decades() -> None:
    panel = bundled_sp500()

    assert panel.close_DN.shape[1] == 20
    assert str(panel.dates_D[0]).startswith("1990")
    assert isinstance(panel.until(panel.dates_D[10]), PricePanel)
    assert len(panel.until(panel.dates_D[10]).dates_D) == 11


def test_a_target_read_near_its_era_is_the_one_read_in_all_history() -> None:
    panel, rules = simulate(SimulationConfig(seed=2, assets=40, weeks=220)).panel, Rules()
    rows = dataset.era_rows(panel, rules)[-12:-6]
    raw = forward_returns(panel, rows, horizon=rules.horizon_days, lag=rules.lag_days)
    whole = bin_target(neutral_returns(np.where(dataset.present(panel, rows), raw, np.nan), panel, rows))

    near = np.array([dataset.partial_target(panel, int(row), rules, rules.horizon_days) for row in rows])

    assert np.array_equal(near, whole, equal_nan=True)
