"""What a trade costs by volume, and what else a price table may tell a backtest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tournament.portfolio.markets import market
from tournament.portfolio.config import Execution
from tournament.portfolio.frictions import VOLUME_DAYS, impact_of
from tournament.portfolio.inputs import read_market

CLOSES = np.cumprod(np.where(np.arange(100) % 2, 1.02, 1 / 1.02))[:, None] * np.array([[10.0, 20.0, 30.0]])


def test_impact_is_volatility_by_the_root_of_size_over_volume() -> None:
    volume = np.tile([1e6, 4e6, 1e6], (100, 1))

    found = impact_of(CLOSES, volume, Execution(impact=0.8, capital=1e5))

    moved = np.log(1.02)
    assert found == pytest.approx(0.8 * moved * np.sqrt([0.1, 0.025, 0.1]))


def test_an_asset_without_volume_pays_the_median_of_the_others() -> None:
    volume = np.tile([1e6, np.nan, 4e6], (100, 1))

    found = impact_of(CLOSES, volume, Execution(capital=1e5))

    assert found is not None
    assert found[1] == pytest.approx((found[0] + found[2]) / 2)


def test_only_the_last_days_are_looked_at() -> None:
    volume, changed = np.full((100, 3), 1e6), CLOSES.copy()
    volume[: 100 - VOLUME_DAYS] = 7.0
    changed[: 100 - VOLUME_DAYS] *= 3

    assert np.array_equal(
        impact_of(CLOSES, np.full((100, 3), 1e6), Execution()), impact_of(changed, volume, Execution())
    )


def test_without_volumes_there_is_none() -> None:
    assert impact_of(CLOSES, None, Execution()) is None


@pytest.fixture
def prices(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """The small market's closes with volumes, dividends and sectors; its signal beside them."""
    one = market()
    frame = pd.DataFrame(one.close_TN, index=one.dates_T, columns=one.ids).rename_axis("date").reset_index()
    long = frame.melt("date", var_name="id", value_name="close")
    long["dollar_volume"], long["dividend"], long["sector"] = 1e6, 0.0, "Sails"
    long.loc[long["date"] == long["date"].iloc[50], "dividend"] = 0.5
    signal = long[["date", "id"]].assign(signal=1.0)
    signal.to_parquet(tmp_path / "signal.parquet", index=False)
    return tmp_path, long


def test_volumes_dividends_and_sectors_are_read_where_they_are(prices: tuple[Path, pd.DataFrame]) -> None:
    folder, long = prices
    long.to_parquet(folder / "prices.parquet", index=False)

    found = read_market(folder / "signal.parquet", folder / "prices.parquet")

    assert found.volume_TN is not None
    assert (found.volume_TN == 1e6).all()
    assert found.dividend_TN is not None
    assert found.dividend_TN[50] == pytest.approx(0.5 / found.close_TN[50])
    assert not found.dividend_TN[51].any()
    assert found.sectors == ("Sails",) * len(found.ids)


def test_dividends_of_adjusted_closes_are_not_paid_twice(prices: tuple[Path, pd.DataFrame]) -> None:
    folder, long = prices
    long.assign(adj_factor=1.0).to_parquet(folder / "prices.parquet", index=False)

    assert read_market(folder / "signal.parquet", folder / "prices.parquet").dividend_TN is None
