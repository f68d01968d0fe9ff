"""A signal through history: causal, accounted for to the last cent, and told in files."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import asdict
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.tournament.portfolio.markets import market, with_other_prices_after
from tournament.errors import BadConfig, BadInput, Infeasible
from tournament.portfolio.accounting import COLUMNS
from tournament.portfolio.backtest import Market, run
from tournament.portfolio.config import BacktestConfig, config_from
from tournament.portfolio.decision import daily_returns
from tournament.portfolio.engine import GONE_DAYS
from tournament.portfolio.inputs import read_market

SMALL = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "risk": {"factors": 3}})


def test_future_prices_change_nothing_of_the_past() -> None:
    day = 180
    ours, theirs = run(market(), SMALL), run(with_other_prices_after(market(), day), SMALL)

    rows, books = day + 1 - ours.done.first, sum(row <= day for row in ours.decided)
    for name in ("weights_TN", "trades_TN", "days_TK"):
        mine, other = getattr(ours.done, name), getattr(theirs.done, name)
        assert np.array_equal(mine[:rows], other[:rows]), name
        assert not np.array_equal(mine, other), name
    assert np.array_equal(ours.targets[:books], theirs.targets[:books])
    assert ours.expected_risk[:books] == theirs.expected_risk[:books]
    assert ours.expected_risk[books + 1 :] != theirs.expected_risk[books + 1 :]


def test_a_signal_is_traded_at_the_next_close_and_not_before() -> None:
    done = run(market(), SMALL)

    assert done.done.first == 101
    assert np.abs(done.done.trades_TN[0]).sum() > 0.1
    assert (done.done.trades_TN[1:5] == 0).all()
    assert np.abs(done.done.trades_TN[5]).sum() > 0.1


def test_a_longer_delay_fills_the_same_first_book_later() -> None:
    late = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "risk": {"factors": 3},
                        "execution": {"delay_days": 3}})  # fmt: skip
    one = run(market(), SMALL)
    done = run(market(), late)

    assert done.done.first == 103
    assert np.array_equal(done.targets[0], one.targets[0])


def test_the_value_is_what_weights_prices_and_costs_make_it() -> None:
    one = market()
    done = run(one, SMALL)
    nav, returns, weights = done.nav(), daily_returns(one.close_TN), done.done.weights_TN

    earned = [weights[place - 1] @ returns[done.done.first + place] for place in range(1, len(nav))]
    short = [np.maximum(-weights[place - 1], 0).sum() for place in range(1, len(nav))]
    costs, later = SMALL.costs, nav.iloc[1:]
    before_costs = 1 + later["gross_return"] - later["borrow"]
    charged = later["turnover"] * before_costs * costs.half_spread + np.array(short) * costs.borrow_per_year / 252

    assert later["gross_return"].to_numpy() == pytest.approx(np.array(earned))
    assert later["cost"].to_numpy() == pytest.approx(charged.to_numpy())
    assert nav["net_return"].to_numpy() == pytest.approx((nav["gross_return"] - nav["cost"]).to_numpy())
    assert nav["nav"].iloc[-1] == pytest.approx((1 + nav["net_return"]).prod())


def test_a_signal_that_knows_something_earns() -> None:
    assert run(market(strength=1.0), SMALL).nav()["nav"].iloc[-1] > 1.02


def test_costs_only_take() -> None:
    free = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "costs": {"half_spread": 0.0,
                        "borrow_per_year": 0.0}})  # fmt: skip
    dear = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "costs": {"half_spread": 0.005}})

    assert run(market(), free).nav()["cost"].sum() == 0
    assert run(market(), dear).nav()["cost"].sum() > 0.001


def test_the_overlay_holds_the_risk_down() -> None:
    calm = config_from({"constraints": {"position": 0.05, "turnover": 2.0}, "overlay": {"target_volatility": 0.01}})

    assert run(market(), calm).nav()["gross"].mean() < 0.5 * run(market(), SMALL).nav()["gross"].mean()


def test_an_asset_without_a_price_is_not_traded_that_day() -> None:
    one = market()
    one.close_TN[106, :30] = np.nan

    done = run(one, SMALL)

    assert (done.done.trades_TN[5, :30] == 0).all()
    assert np.abs(done.done.trades_TN[5, 30:]).sum() > 0


def test_what_stops_trading_is_settled_and_the_limits_hold_again() -> None:
    one = market()
    one.close_TN[140:, :10] = np.nan

    done = run(one, SMALL)

    last, first = 139 + GONE_DAYS, done.done.first
    assert done.done.weights_TN[last - 1 - first, :10].any()
    assert not done.done.weights_TN[last - first :, :10].any()
    assert {date for date, _ in done.settled} == {str(one.dates_T[last])}
    later = done.nav()[(done.nav()["date"] > str(one.dates_T[last + 5])) & (done.nav()["turnover"] > 0)]
    assert (later["gross"] * (1 - later["cost"])).max() < SMALL.constraints.gross + 1e-4
    assert later["net"].abs().max() < 1e-6


def test_a_gap_in_prices_loses_no_return() -> None:
    close = np.array([[100.0], [np.nan], [121.0]])

    assert daily_returns(close)[:, 0] == pytest.approx([np.nan, np.nan, 0.21], nan_ok=True)


def test_a_config_that_no_day_can_meet_is_refused_with_its_first_day() -> None:
    tight = config_from({"constraints": {"net": 0.9, "position": 0.001, "turnover": 2.0, "beta_neutral": False}})

    with pytest.raises(Infeasible, match=r"no day had a book; the first, 2018-\d\d-\d\d: net 0.9 cannot be reached"):
        run(market(), tight)


def test_given_betas_are_made_neutral() -> None:
    one = market()
    beta = np.tile(np.linspace(0.2, 2.0, one.close_TN.shape[1]), (len(one.dates_T), 1))
    given = Market(one.dates_T, one.ids, one.close_TN, one.signal_TN, beta)

    done = run(given, SMALL)

    assert abs(done.done.weights_TN[0] @ beta[0]) < 1e-6


def test_unknown_and_impossible_settings_are_all_named() -> None:
    tables = {
        "constraints": {"grosss": 1, "position": "wide"}, "cost": {}, "costs": {"half_spread": -1.0}, "risk": 3,
        "overlay": {"target_volatility": True},
    }  # fmt: skip

    with pytest.raises(BadConfig) as caught:
        config_from(tables)

    told = str(caught.value)
    for part in ("'grosss'", "position is 'wide'", "[cost]", "half_spread is -1.0", "'risk' is 3", "True"):
        assert part in told
    assert len(caught.value.faults) == 6


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("risk", "factors", 0), ("risk", "half_life_days", 0), ("risk", "window_days", 0), ("risk", "least_days", 0),
     ("constraints", "gross", math.nan), ("constraints", "gross", math.inf), ("constraints", "net", math.nan),
     ("signal", "expected_corr", 2.0), ("signal", "horizon_days", 0), ("costs", "half_spread", math.inf)],
)  # fmt: skip
def test_a_number_that_no_backtest_can_use_is_refused(section: str, key: str, value: float) -> None:
    with pytest.raises(BadConfig, match=rf"\[{section}\] {key} is "):
        config_from({section: {key: value}})


def test_every_number_out_of_range_is_told_at_once() -> None:
    tables = {"risk": {"factors": 0, "window_days": 0}, "signal": {"expected_corr": 2.0}, "constraints": {"gross": 0}}

    with pytest.raises(BadConfig) as caught:
        config_from(tables)

    assert len(caught.value.faults) == 4


def test_limits_of_a_config_are_checked_too() -> None:
    with pytest.raises(BadConfig, match=r"\[constraints\] limit gross is 0"):
        config_from({"constraints": {"gross": 0}})


def test_the_defaults_are_those_of_the_contract() -> None:
    limits = BacktestConfig().constraints

    assert (limits.net, limits.gross, limits.position, limits.beta_neutral) == (0.0, 1.0, 0.02, True)
    assert BacktestConfig().costs.borrow_per_year > 0


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The small market as two files."""
    one = market()
    close = pd.DataFrame(one.close_TN, index=one.dates_T, columns=one.ids)
    signal = pd.DataFrame(one.signal_TN, index=one.dates_T, columns=one.ids)
    for name, frame in (("close", close), ("signal", signal)):
        long = frame.rename_axis("date").reset_index().melt("date", var_name="id", value_name=name).dropna()
        long.to_parquet(tmp_path / f"{name}.parquet", index=False)
    return {"signal": tmp_path / "signal.parquet", "prices": tmp_path / "close.parquet", "out": tmp_path / "out"}


def test_the_command_writes_all_that_it_promises(files: dict[str, Path]) -> None:
    out = StringIO()

    call_command("backtest_portfolio", **files, stdout=out)

    folder = files["out"]
    positions, trades, nav = (pd.read_parquet(folder / f"{name}.parquet") for name in ("positions", "trades", "nav"))
    assert list(positions.columns) == ["date", "id", "weight"]
    assert list(trades.columns) == ["date", "id", "trade"]
    assert list(nav.columns) == ["date", *COLUMNS]
    assert COLUMNS[:7] == ("gross_return", "cost", "net_return", "nav", "gross", "net", "turnover")
    figures = json.loads((folder / "report.json").read_text())
    assert figures["days"] == len(nav)
    assert figures["figures"]["Sharpe ratio"]["standard_error"] > 0
    assert "<svg" in (folder / "report.html").read_text()
    assert "Sharpe ratio" in out.getvalue()


def test_the_same_files_give_the_same_report(files: dict[str, Path], tmp_path: Path) -> None:
    for place in ("one", "two"):
        call_command("backtest_portfolio", **files | {"out": tmp_path / place}, stdout=StringIO())

    assert (tmp_path / "one/report.html").read_bytes() == (tmp_path / "two/report.html").read_bytes()


def test_every_fault_of_both_files_is_told_with_status_two(files: dict[str, Path]) -> None:
    pd.read_parquet(files["signal"]).rename(columns={"signal": "score"}).to_parquet(files["signal"])
    pd.read_parquet(files["prices"]).drop(columns="close").to_parquet(files["prices"])

    with pytest.raises(CommandError) as caught:
        call_command("backtest_portfolio", **files)

    assert caught.value.returncode == 2
    assert "no column 'signal'" in str(caught.value)
    assert "no column 'close'" in str(caught.value)
    assert not files["out"].exists()


BAD_SIGNALS = {
    "no trading day": (lambda f: f.assign(date=f["date"] + pd.Timedelta(days=4000)), "no trading day of the prices"),
    "other ids": (lambda f: f.assign(id="x" + f["id"]), "signal: no id is among those of the prices"),
    "twice": (lambda f: pd.concat([f, f.head(1)]), "1 row repeats date and id"),
    "words": (lambda f: f.assign(signal="up"), "not numbers"),
    "infinite": (lambda f: f.assign(signal=np.inf), "signals are infinite"),
    "none": (lambda f: f.assign(signal=np.nan), "every signal is missing"),
    "no id": (lambda f: f.assign(id=f["id"].where(f.index > 1)), "2 rows have no id"),
}


@pytest.mark.parametrize("kind", BAD_SIGNALS)
def test_a_bad_signal_is_refused(kind: str, files: dict[str, Path]) -> None:
    spoil, message = BAD_SIGNALS[kind]
    spoil(pd.read_parquet(files["signal"])).to_parquet(files["signal"])

    with pytest.raises(BadInput, match=message):
        read_market(files["signal"], files["prices"])


@pytest.mark.parametrize(("column", "value", "message"), [
    ("beta", np.inf, "beta is infinite in 2 rows"), ("dividend", -1.0, "dividend is infinite or below zero in 2 rows"),
    ("beta", "high", "'beta' holds"),
])  # fmt: skip
def test_columns_that_only_a_backtest_reads_are_checked(
    column: str, value: object, message: str, files: dict[str, Path]
) -> None:
    prices = pd.read_parquet(files["prices"])
    prices[column] = "x" if isinstance(value, str) else 1.0
    prices.loc[prices.index[:2], column] = value
    prices.to_parquet(files["prices"])

    with pytest.raises(BadInput, match=f"close.parquet: .*{message}"):
        read_market(files["signal"], files["prices"])


def test_faults_of_config_and_files_are_told_together(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text("[constraints]\nnett = 1\nnet = 3.0\ngross = 2.0\n")
    pd.read_parquet(files["signal"]).assign(signal=np.inf).to_parquet(files["signal"])
    pd.read_parquet(files["prices"]).assign(close=-1.0).to_parquet(files["prices"])

    with pytest.raises(CommandError) as caught:
        call_command("backtest_portfolio", **files, config=tmp_path / "limits.toml")

    for words in (
        "has no key 'nett'", "limit net is 3.0; give no more than gross, which is 2.0", "signals are infinite",
        "close.parquet: ", "closes are not above zero",
    ):  # fmt: skip
        assert words in str(caught.value)


def one_book(files: dict[str, Path], late: int) -> None:
    """Signals of the day that has so many closes left, itself included, and of no other."""
    day = np.sort(pd.read_parquet(files["prices"])["date"].unique())[-late]
    signal = pd.read_parquet(files["signal"]).drop_duplicates("id")
    signal.assign(date=day, signal=np.arange(float(len(signal)))).to_parquet(files["signal"])


def test_a_course_too_short_for_a_sheet_is_refused(files: dict[str, Path]) -> None:
    one_book(files, late=10)

    with pytest.raises(CommandError, match="9 days have a close from the first fill on; a tear sheet needs 10"):
        call_command("backtest_portfolio", **files, stdout=StringIO())

    assert not files["out"].exists()


@pytest.mark.parametrize("late", [11, 12, 22])
def test_a_single_book_has_a_sheet(late: int, files: dict[str, Path]) -> None:
    one_book(files, late)

    call_command("backtest_portfolio", **files, stdout=StringIO())

    assert len(pd.read_parquet(files["out"] / "nav.parquet")) == late - 1
    assert (files["out"] / "report.html").exists()


def test_nothing_is_written_when_the_sheet_cannot_be_made(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tournament.portfolio.report.html", lambda *parts: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        call_command("backtest_portfolio", **files, stdout=StringIO())

    assert not files["out"].exists()


def test_a_full_folder_is_left_alone(files: dict[str, Path]) -> None:
    files["out"].mkdir()
    (files["out"] / "mine.txt").write_text("keep")

    with pytest.raises(CommandError, match="already holds files"):
        call_command("backtest_portfolio", **files)


def test_the_documented_config_is_the_default_one() -> None:
    text = (Path(__file__).parents[3] / "docs/portfolio.md").read_text()
    shown = tomllib.loads(text.split("```toml\n", 1)[1].split("```", 1)[0])

    assert config_from(shown) == BacktestConfig()
    assert {name: set(keys) for name, keys in shown.items()} == {
        name: set(keys) for name, keys in asdict(BacktestConfig()).items()
    }
