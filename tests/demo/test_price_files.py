"""Price files of every market become one kind of panel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demo.price_files import membership, read_market, with_sectors
from tournament.errors import BadInput, BadPanel
from tournament.markets.panel import PricePanel

WEEKDAYS = pd.bdate_range("2020-01-06", periods=6)


def saved(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "prices.parquet"
    frame.to_parquet(path, index=False)
    return path


def future(instrument: str, adjusted: list[float], held: list[float], days: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"instrument": instrument, "date": days.date, "adj_price": adjusted, "price": held})


def test_a_future_returns_its_adjusted_change_over_the_price_held(tmp_path: Path) -> None:
    frame = future("WHEAT", [10.0, 12.0, 9.0], [100.0, 105.0, 103.0], WEEKDAYS[:3])

    panel = read_market(saved(frame, tmp_path))

    returns = panel.close_DN[1:, 0] / panel.close_DN[:-1, 0] - 1.0
    assert panel.close_DN[0, 0] == pytest.approx(102.0)  # the first return ends on the second day
    assert returns == pytest.approx([-3.0 / 105.0])


def test_small_contracts_are_left_out_and_holidays_carried(tmp_path: Path) -> None:
    wheat = future("WHEAT", [1.0, 2.0, 3.0, 4.0], [100.0] * 4, WEEKDAYS[[0, 1, 2, 4]])
    gold = future("GOLD", [1.0, 2.0, 3.0, 4.0, 5.0], [100.0] * 5, WEEKDAYS[:5])
    mini = future("GOLD_mini", [1.0, 2.0], [100.0] * 2, WEEKDAYS[:2])

    panel = read_market(saved(pd.concat([wheat, gold, mini]), tmp_path))

    assert panel.ids == ("GOLD", "WHEAT")
    assert panel.close_DN[2, 1] == panel.close_DN[1, 1]


def test_currencies_are_taken_from_among_other_series_once_each(tmp_path: Path) -> None:
    def series(name: str, kind: str, days: int) -> pd.DataFrame:
        return pd.DataFrame({"series": name, "date": WEEKDAYS[:days].date, "close": 1.5, "asset_class": kind})

    frame = pd.concat([series("EURUSD", "fx", 3), series("EURUSD_PST", "fx", 6), series("AUDJPY", "fx", 6),
                       series("VIX", "volatility", 6)])  # fmt: skip

    assert read_market(saved(frame, tmp_path)).ids == ("AUDJPY", "EURUSD_PST")


def test_coins_trade_on_business_days_and_their_wildest_moves_are_clipped(tmp_path: Path) -> None:
    days = pd.date_range("2020-01-03", periods=5)  # Friday to Tuesday
    frame = pd.DataFrame({"ticker": "ADA", "date": days.date, "close": [1.0, 9.0, 9.0, 1.1, 11.0], "usd_volume": 5.0})

    panel = read_market(saved(frame, tmp_path))

    assert list(panel.dates_D.astype(str)) == ["2020-01-06", "2020-01-07"]
    assert panel.close_DN[:, 0] == pytest.approx([110.0, 165.0])
    assert panel.volume_DN is not None


def test_stocks_are_read_as_ever(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ticker": "A", "date": WEEKDAYS.date, "close": 10.0, "adj_factor": 0.5})

    assert read_market(saved(frame, tmp_path)).close_DN[:, 0] == pytest.approx(np.full(6, 5.0))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.parquet").write_text("no table")

    with pytest.raises(BadPanel, match="cannot be read"):
        read_market(tmp_path / "prices.parquet")


@pytest.fixture
def panel() -> PricePanel:
    return PricePanel(WEEKDAYS.to_numpy().astype("datetime64[D]"), ("A", "B", "C"), np.ones((6, 3)))


def test_members_are_in_from_their_first_to_their_last_day(panel: PricePanel, tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text(
        "ticker,start_date,end_date\nA,2020-01-07,2020-01-08\nA,2020-01-13,\nB,2019-01-01,\nZ,2019-01-01,\n"
    )

    member = membership(panel, path)

    assert member[:, 0].tolist() == [False, True, True, False, False, True]
    assert member[:, 1].all()
    assert not member[:, 2].any()


def test_sectors_are_joined_by_name(panel: PricePanel, tmp_path: Path) -> None:
    path = tmp_path / "sectors.csv"
    path.write_text("Symbol,GICS Sector\nC,Energy\nA,Materials\n")

    assert with_sectors(panel, path).sectors == ("Materials", "unknown", "Energy")


def test_a_table_without_sectors_is_refused(panel: PricePanel, tmp_path: Path) -> None:
    path = tmp_path / "sectors.csv"
    path.write_text("Symbol\nC\n")

    with pytest.raises(BadInput, match="no column sector"):
        with_sectors(panel, path)
