"""Orders are sized in whole lots, written so that brokers read them, and filled by the next bar."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from tournament.errors import BadInput
from tournament.portfolio.orders import Side, csv_bytes, filled, fix_bytes, parquet_bytes, sized_orders

PRICES = {"AA": 10.0, "BB": 50.0, "CC": 4.0, "DD": 100.0}
AT = datetime(2026, 11, 26, 21, 5, tzinfo=UTC)


def orders(lot: int = 1):  # type: ignore[no-untyped-def]
    """A purchase, a short sale, a sale through zero, and nothing to do for DD."""
    weights = {"AA": 0.1003, "BB": -0.1, "CC": -0.01, "DD": 0.1}
    return sized_orders(weights, {"CC": 20, "DD": 10}, PRICES, value=10_000.0, lot=lot)


def test_quantities_are_whole_and_never_beyond_the_weight() -> None:
    found = [(one.asset, str(one.side), one.quantity) for one in orders()]

    assert found == [("AA", "buy", 100), ("BB", "sell short", 20), ("CC", "sell", 20), ("CC", "sell short", 25)]


def test_lots_are_kept() -> None:
    assert [one.quantity for one in orders(lot=30) if one.asset == "AA"] == [90]


def test_what_left_the_book_is_sold_or_bought_back() -> None:
    found = sized_orders({}, {"AA": 7, "BB": -3, "CC": 0}, PRICES, value=1000.0)

    assert [(one.asset, one.side, one.signed) for one in found] == [("AA", Side.SELL, -7), ("BB", Side.BUY, 3)]


def test_trades_are_fractions_of_the_value() -> None:
    assert {one.asset: one.trade_weight for one in orders()}["AA"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"AA": float("nan")}, "1 assets have no price"), ({"AA": 0.0}, "no price"), ({}, "worth -5")],
)
def test_what_cannot_be_sized_is_refused(changed: dict[str, float], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        sized_orders({"AA": 0.1}, {}, PRICES | changed, value=-5.0)


def test_csv_and_parquet_hold_the_same() -> None:
    read = pd.read_csv(io.BytesIO(csv_bytes(orders())))

    pd.testing.assert_frame_equal(read, pd.read_parquet(io.BytesIO(parquet_bytes(orders()))), check_dtype=False)
    assert csv_bytes(orders()) == csv_bytes(orders())
    assert len(pd.read_parquet(io.BytesIO(parquet_bytes(())))) == 0


def test_fix_messages_have_the_right_length_and_checksum() -> None:
    lines = fix_bytes(orders(), key="plan7", at=AT).splitlines()

    for number, line in enumerate(lines, 1):
        parts = dict(part.split("=", 1) for part in line.decode().strip("\x01").split("\x01"))
        before, body = line[: line.index(b"10=")], line[line.index(b"35=") : line.index(b"10=")]
        assert int(parts["9"]) == len(body)
        assert int(parts["10"]) == sum(before) % 256
        assert parts["11"] == f"plan7-{number}"
        assert parts["60"] == "20261126-21:05:00.000"
    assert [line.split(b"\x0154=")[1][:1] for line in lines] == [b"1", b"5", b"2", b"5"]


def test_the_next_bar_fills_what_has_a_price() -> None:
    fills = filled(orders(), {"AA": 11.0, "BB": float("nan"), "CC": 4.0}, half_spread=0.001)

    assert [(one.asset, one.signed, one.price) for one in fills] == [
        ("AA", 100, 11.0), ("BB", -20, None), ("CC", -20, 4.0), ("CC", -25, 4.0),
    ]  # fmt: skip
    assert fills[0].cost == pytest.approx(1.1)
