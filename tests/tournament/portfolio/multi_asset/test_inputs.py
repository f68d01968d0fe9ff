"""Files and config of a multi-asset book: read as they are, and refused with every fault at once."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tournament.errors import BadConfig, BadInput
from tournament.portfolio.multi_asset import external
from tournament.portfolio.multi_asset.config import book_config_from, read_book_config
from tournament.portfolio.multi_asset.inputs import read_inputs

CONFIG = """
neutral = ["stocks"]
[book]
method = "convex"
every_days = 20
[risk]
factors = 2
window_days = 80
least_days = 60
[budgets]
stocks = 0.5
bonds = 0.25
coins = 0.25
[[market]]
name = "stocks"
prices = "stocks.parquet"
group = "stocks"
borrow_per_year = 0.01
[[market]]
name = "futures"
prices = "futures.csv"
returns = "back_adjusted"
instruments = "about.csv"
[[market]]
name = "coins"
prices = "coins.parquet"
group = "coins"
calendar = "every_day"
carry = "funding.parquet"
half_spread = 0.002
[[tournament]]
name = "equity"
signals = "signals.parquet"
[[tournament]]
name = "trend"
signals = "trend.parquet"
standard = "directional"
"""


def walks(names: list[str], *, every_day: bool = False, seed: int = 0) -> pd.DataFrame:
    days = np.arange(np.datetime64("2018-01-01"), np.datetime64("2018-07-01"))
    days = days if every_day else days[np.is_busday(days)]
    moves = np.random.default_rng(seed).normal(0, 0.01, (len(days), len(names)))
    wide = pd.DataFrame(50 * np.exp(moves.cumsum(axis=0)), index=pd.DatetimeIndex(days, name="date"), columns=names)
    return wide.reset_index().melt("date", var_name="id", value_name="close")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.toml").write_text(CONFIG)
    stocks, coins = walks(["A", "B", "C", "D"], seed=1), walks(["BTC", "ETH"], every_day=True, seed=2)
    stocks.to_parquet(tmp_path / "stocks.parquet")
    coins.to_parquet(tmp_path / "coins.parquet")
    futures = walks(["US10", "GILT"], seed=3).rename(columns={"close": "price", "id": "instrument"})
    futures.assign(adj_price=futures["price"] - 60.0).to_csv(tmp_path / "futures.csv", index=False)
    about = {"id": ["US10", "GILT"], "group": ["bonds"] * 2, "multiplier": [1000.0] * 2, "spread_points": [0.01, 0.02]}
    pd.DataFrame(about).to_csv(tmp_path / "about.csv", index=False)
    coins.assign(per_year=-0.1)[["date", "id", "per_year"]].to_parquet(tmp_path / "funding.parquet")
    for name, group in (
        ("signals", stocks),
        ("trend", pd.concat([coins, futures.rename(columns={"instrument": "id"})])),
    ):
        made = group[["date", "id"]].assign(signal=np.random.default_rng(4).standard_normal(len(group)))
        made.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def read(folder: Path) -> object:
    return read_inputs(read_book_config(folder / "book.toml"), folder)


def test_a_futures_return_is_the_adjusted_change_over_the_held_price(folder: Path) -> None:
    panel = read_inputs(read_book_config(folder / "book.toml"), folder).panel
    price = pd.read_csv(folder / "futures.csv").query("instrument == 'US10'")["price"].to_numpy()
    column = panel.ids.index("US10")
    rows = np.flatnonzero(np.isfinite(panel.index_TN[:, column]))

    index = panel.index_TN[rows, column]
    assert index[1:] / index[:-1] - 1.0 == pytest.approx(np.diff(price) / price[:-1])
    assert panel.spread_TN[rows, column] == pytest.approx(0.01 / price)
    assert panel.instruments[column].multiplier == 1000.0


def test_what_a_market_says_holds_for_its_instruments(folder: Path) -> None:
    panel = read_inputs(read_book_config(folder / "book.toml"), folder).panel
    by_id = {one.id: one for one in panel.instruments}

    assert (by_id["A"].borrow_per_year, by_id["A"].group, by_id["A"].calendar) == (0.01, "stocks", "weekdays")
    assert by_id["BTC"].calendar == "every_day"
    assert panel.spread_TN[-1, panel.ids.index("BTC")] == 0.002
    assert panel.carry_TN[2, panel.ids.index("BTC")] == pytest.approx(-0.1 / 365)


def test_the_command_writes_all_that_it_promises(folder: Path) -> None:
    out = StringIO()

    call_command("backtest_multi_asset", config=folder / "book.toml", out=folder / "out", stdout=out)

    told = json.loads((folder / "out/report.json").read_text())
    assert told["figures"]["Sharpe ratio"]["standard_error"] > 0
    assert {one["name"] for one in told["groups"]} == {"stocks", "bonds", "coins"}
    assert list(pd.read_parquet(folder / "out/positions.parquet").columns) == ["date", "id", "weight", "contracts"]
    assert len(pd.read_parquet(folder / "out/nav.parquet")) > 50
    assert (folder / "out/report.html").read_text().count("<svg") == 5
    assert "share of risk" in out.getvalue()
    assert f"Realised over forecast volatility: {told['risk']['bias']:.2f}" in out.getvalue()


def test_the_same_files_give_the_same_report(folder: Path) -> None:
    for place in ("one", "two"):
        call_command("backtest_multi_asset", config=folder / "book.toml", out=folder / place, stdout=StringIO())

    assert (folder / "one/report.html").read_bytes() == (folder / "two/report.html").read_bytes()


def test_every_fault_of_every_file_is_told_at_once_with_status_two(folder: Path) -> None:
    pd.read_parquet(folder / "stocks.parquet").assign(close=-1.0).to_parquet(folder / "stocks.parquet")
    pd.read_csv(folder / "futures.csv").drop(columns="adj_price").to_csv(folder / "futures.csv", index=False)
    pd.read_csv(folder / "about.csv").assign(multiplier=0.0).to_csv(folder / "about.csv", index=False)
    (folder / "coins.parquet").unlink()
    signals = pd.read_parquet(folder / "signals.parquet")
    pd.concat([signals, signals.head(2)]).to_parquet(folder / "signals.parquet")
    pd.read_parquet(folder / "trend.parquet").assign(signal="up").to_parquet(folder / "trend.parquet")

    with pytest.raises(CommandError) as caught:
        call_command("backtest_multi_asset", config=folder / "book.toml", out=folder / "out")

    assert caught.value.returncode == 2
    for words in (
        "stocks: stocks.parquet: 520 closes are not above zero", "futures: futures.csv has no column 'adj_price'",
        "futures: about.csv: 2 values of multiplier outside", "coins: there is no file",
        "equity: signals.parquet: 2 rows repeat date and id", "trend: trend.parquet: column 'signal' holds",
    ):  # fmt: skip
        assert words in str(caught.value)
    assert not (folder / "out").exists()


def test_every_fault_of_a_config_is_told_at_once() -> None:
    with pytest.raises(BadConfig) as caught:
        book_config_from(
            {
                "bok": {}, "book": {"method": "magic", "gross": -1}, "risk": {"factors": 2.5}, "neutral": "stocks",
                "budgets": {"stocks": -1}, "market": [{"prices": "p", "returns": "guess"}, {"naem": "x"}],
                "tournament": [{"name": "t", "signals": "s", "expected_corr": 7}],
            }
        )  # fmt: skip

    found = str(caught.value)
    for words in (
        "no section [bok]", "[book] gross is -1", "[book] method is 'magic'; known: equal_money",
        "[risk] factors is 2.5", "stocks = -1", "neutral is 'stocks'", "[[market]] number 1: returns is 'guess'",
        "[[market]] number 1: it has no name", "number 1: it has no group", "number 2: it has no name",
        "[[market]] number 2: [market] has no key 'naem'", "[[tournament]] t: [tournament] expected_corr is 7",
    ):  # fmt: skip
        assert words in found
    with pytest.raises(BadConfig, match="least_days is 90, of a window of 60 days"):
        book_config_from({"risk": {"least_days": 90, "window_days": 60}})


@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan])
def test_factors_of_closes_are_above_zero(factor: float, folder: Path) -> None:
    stocks = pd.read_parquet(folder / "stocks.parquet").assign(adj_factor=1.0)
    stocks.loc[stocks.index[:2], "adj_factor"] = factor
    stocks.loc[stocks.index[3], "close"] = -1.0
    stocks.to_parquet(folder / "stocks.parquet")

    with pytest.raises(BadInput) as caught:
        read(folder)

    assert "stocks.parquet: 2 adj_factors are missing or not above zero" in str(caught.value)
    assert "stocks.parquet: 1 close is not above zero" in str(caught.value)


def test_signals_that_are_all_missing_are_told_as_such(folder: Path) -> None:
    pd.read_parquet(folder / "trend.parquet").assign(signal=np.nan).to_parquet(folder / "trend.parquet")

    with pytest.raises(BadInput, match="every signal is missing"):
        read(folder)


def test_budgets_must_name_the_groups_there_are(folder: Path) -> None:
    (folder / "book.toml").write_text(CONFIG.replace("bonds = 0.25", "bounds = 0.25"))

    with pytest.raises(BadInput) as caught:
        read(folder)

    assert "budgets name 'bounds'" in str(caught.value)
    assert "1 group has no budget (bonds)" in str(caught.value)


def test_signals_of_no_market_or_day_are_refused(folder: Path) -> None:
    frame = pd.read_parquet(folder / "signals.parquet")
    frame.assign(id="x", date=frame["date"] + pd.Timedelta(days=4000)).drop_duplicates(["date"]).to_parquet(
        folder / "signals.parquet"
    )

    with pytest.raises(BadInput) as caught:
        read(folder)

    assert "no trading day of the markets" in str(caught.value)
    assert "no id is among those of the markets" in str(caught.value)


def test_a_name_in_two_markets_is_refused(folder: Path) -> None:
    frame = pd.read_parquet(folder / "coins.parquet").replace({"id": {"BTC": "A"}})
    frame.to_parquet(folder / "coins.parquet")

    with pytest.raises(BadInput, match="more than one market"):
        read(folder)


@pytest.mark.parametrize("method", ["hierarchical", "black_litterman"])
def test_without_skfolio_its_methods_say_what_to_install(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(BadInput, match="pip install skfolio"):
        external._skfolio("prior", method)


@pytest.mark.parametrize("method", ["hierarchical", "black_litterman"])
def test_skfolios_methods_choose_books(method: str, folder: Path) -> None:
    pytest.importorskip("skfolio", reason="skfolio is an optional extra")
    (folder / "book.toml").write_text(CONFIG.replace('"convex"', f'"{method}"'))

    call_command("backtest_multi_asset", config=folder / "book.toml", out=folder / "out", stdout=StringIO())

    assert len(pd.read_parquet(folder / "out/positions.parquet")) > 100
