"""From a book to orders and from orders to fills: target weights, trades, files that a broker reads. Suffix: N assets.

Quantities are whole units of the lot; a short position has a negative one. Nothing here knows a clock or a broker.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum

import numpy as np

from tournament.errors import BadInput, Fault

SEPARATOR = "\x01"
FIX_VERSION, FIX_SENDER, FIX_TARGET = "FIX.4.4", "REGATTA", "BROKER"
BUY, SELL, SELL_SHORT = "1", "2", "5"
MARKET, AT_THE_OPENING = "1", "2"
EPOCH = "19700101-00:00:00.000"
"""SendingTime of a file that was not sent yet; the gateway that sends it writes its own."""


class Side(StrEnum):
    """What an order does; a sale beyond what is held is marked as short, as brokers ask."""

    BUY = "buy"
    SELL = "sell"
    SELL_SHORT = "sell short"


@dataclass(frozen=True, slots=True)
class Order:
    """One trade: signed weights as fractions of the account's value, a positive quantity, the price it was sized by."""

    asset: str
    side: Side
    quantity: int
    held: int
    target_weight: float
    trade_weight: float
    price: float

    @property
    def signed(self) -> int:
        """The quantity, negative for a sale."""
        return self.quantity if self.side == Side.BUY else -self.quantity

    @property
    def notional(self) -> float:
        """What it is worth at the price that it was sized by."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Fill:
    """What became of one order: at which price, and what the half-spread took; no price where it was not filled."""

    asset: str
    signed: int
    price: float | None
    cost: float


def sized_orders(
    weights: Mapping[str, float],
    held: Mapping[str, int],
    prices: Mapping[str, float],
    *,
    value: float,
    lot: int = 1,
) -> tuple[Order, ...]:
    """The orders that lead from what is held to the target weights, sorted by asset; none where nothing changes.

    Targets are rounded to whole lots towards zero, so that no rounding breaks a limit. Raises BadInput naming assets
    without a price, and a value or lot that is not above zero.
    """
    names = sorted({*weights, *(name for name, units in held.items() if units)})
    _refuse(names, prices, value, lot)
    orders = []
    for name in names:
        units, price = held.get(name, 0), prices[name]
        target = int(weights.get(name, 0.0) * value / price / lot) * lot
        if target != units:
            orders += _orders(name, units, target, price, weights.get(name, 0.0), value)
    return tuple(orders)


def _orders(name: str, held: int, target: int, price: float, weight: float, value: float) -> list[Order]:
    """One order, or two where a sale goes through zero: brokers want the short part apart."""

    def made(side: Side, quantity: int, before: int) -> Order:
        sign = 1 if side == Side.BUY else -1
        return Order(name, side, quantity, before, weight, sign * quantity * price / value, price)

    if target > held:
        return [made(Side.BUY, target - held, held)]
    sold = min(held - target, max(held, 0))
    short = held - target - sold
    return ([made(Side.SELL, sold, held)] if sold else []) + (
        [made(Side.SELL_SHORT, short, held - sold)] if short else []
    )


def _refuse(names: Sequence[str], prices: Mapping[str, float], value: float, lot: int) -> None:
    without = [name for name in names if not np.isfinite(prices.get(name, np.nan)) or prices[name] <= 0]
    faults = []
    if without:
        faults.append(Fault("no_price", f"{len(without)} assets have no price", "wait for one", tuple(without[:3])))
    if not value > 0 or not np.isfinite(value):
        faults.append(Fault("no_value", f"the account is worth {value}", "only an account above zero can trade"))
    if lot < 1:
        faults.append(Fault("lot", f"the lot is {lot}", "give a whole number of 1 or more"))
    if faults:
        raise BadInput(faults)


def filled(orders: Sequence[Order], prices: Mapping[str, float], *, half_spread: float) -> tuple[Fill, ...]:
    """What a paper broker makes of orders at the next bar's prices: each whole or not at all, at the half-spread."""
    fills = []
    for order in orders:
        price = prices.get(order.asset, np.nan)
        there = bool(np.isfinite(price)) and price > 0
        cost = order.quantity * price * half_spread if there else 0.0
        fills.append(Fill(order.asset, order.signed, float(price) if there else None, float(cost)))
    return tuple(fills)


def csv_bytes(orders: Sequence[Order]) -> bytes:
    """The orders as CSV, the same bytes for the same orders."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Order)])
    writer.writerows([str(value) for value in asdict(order).values()] for order in orders)
    return text.getvalue().encode()


def parquet_bytes(orders: Sequence[Order]) -> bytes:
    """The orders as Parquet, typed, also where there are none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"asset": pa.string(), "side": pa.string(), "quantity": pa.int64(), "held": pa.int64()}
    schema = pa.schema([(field.name, kinds.get(field.name, pa.float64())) for field in fields(Order)])
    table = pa.Table.from_pylist([{**asdict(order), "side": str(order.side)} for order in orders], schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def fix_bytes(orders: Sequence[Order], *, key: str, at: datetime) -> bytes:
    """The orders as FIX 4.4 NewOrderSingle messages, market at the opening, one a line; `key` begins every ClOrdID.

    Length and checksum are right, so that a gateway can send each line as it is but for sequence and sending time.
    """
    sides = {Side.BUY: BUY, Side.SELL: SELL, Side.SELL_SHORT: SELL_SHORT}
    lines = []
    for number, order in enumerate(orders, 1):
        body = [
            ("35", "D"), ("49", FIX_SENDER), ("56", FIX_TARGET), ("34", str(number)), ("52", EPOCH),
            ("11", f"{key}-{number}"), ("55", order.asset), ("54", sides[order.side]),
            ("60", f"{at:%Y%m%d-%H:%M:%S}.000"), ("38", str(order.quantity)), ("40", MARKET), ("59", AT_THE_OPENING),
        ]  # fmt: skip
        lines.append(_message(body))
    return b"".join(line + b"\n" for line in lines)


def _message(body: Sequence[tuple[str, str]]) -> bytes:
    """A FIX message: begin, length of the body, body, and the sum of all bytes before it modulo 256."""
    text = "".join(f"{tag}={value}{SEPARATOR}" for tag, value in body).encode()
    whole = f"8={FIX_VERSION}{SEPARATOR}9={len(text)}{SEPARATOR}".encode() + text
    return whole + f"10={sum(whole) % 256:03d}{SEPARATOR}".encode()
