"""Markets and tournaments from files, checked together: every fault of every file at once.

Shape suffixes: D days of one market, T rows of the joint calendar, N instruments, S tournaments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from tournament.errors import BadInput, Fault, counted
from tournament.portfolio.multi_asset.alphas import Signals
from tournament.portfolio.multi_asset.config import BookConfig, MarketFiles, Returns, TournamentFiles, word_faults
from tournament.portfolio.multi_asset.instruments import Calendar, Instrument, Panel, Quotes, together
from tournament.portfolio.multi_asset.meta_models import at_next_close, meta_model_signals
from tournament.portfolio.risk import Floats
from tournament.tables import as_dates, not_numbers, read_table, repeated, strangers, without

ID_COLUMNS = ("id", "ticker", "symbol", "instrument", "series")
NUMBERS = {"multiplier": (0.0, np.inf), "half_spread": (0.0, 0.5), "spread_points": (0.0, np.inf),
           "borrow_per_year": (0.0, 2.0), "carry_per_year": (-2.0, 2.0)}  # fmt: skip
"""What a file of instruments may tell besides group and calendar, and within what bounds."""
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a book is walked through."""

    panel: Panel
    signals: tuple[Signals, ...]


def read_inputs(config: BookConfig, folder: Path) -> Inputs:
    """Files named by a config, relative to `folder`. Raises BadInput with every fault of every file."""
    faults: list[Fault] = []
    markets = [_or_faults(partial(read_market, one, folder), one.name, faults) for one in config.markets]
    frames = [_or_faults(partial(read_signals, one, folder), one.name, faults) for one in config.tournaments]
    known = [market for market in markets if market is not None]
    panel = _or_faults(lambda: together(known), "markets", faults) if known else None
    if panel is not None and len(known) == len(markets):
        for place, (files, frame) in enumerate(zip(config.tournaments, frames, strict=True)):
            frames[place] = at_next_close(frame, panel.dates_T) if files.archive and frame is not None else frame
        faults += _group_faults(config, panel)
        for files, frame in zip(config.tournaments, frames, strict=True):
            named = files.signals or files.archive
            faults += (
                [] if frame is None else strangers(frame, named, days=panel.dates_T, ids=panel.ids, of="the markets")
            )
    if faults or panel is None:
        raise BadInput(faults)
    wide = [
        Signals(files, signals_on(panel, frame))
        for files, frame in zip(config.tournaments, frames, strict=True)
        if frame is not None
    ]
    return Inputs(panel, tuple(wide))


def read_market(files: MarketFiles, folder: Path) -> Quotes:
    """One market of its files. Raises BadInput with every fault of them."""
    faults: list[Fault] = []
    needs = ("close",) if files.returns == Returns.CLOSE else ("adj_price", "price")
    frame = _or_faults(lambda: _long(folder / files.prices, needs), "", faults)
    about = _or_faults(lambda: _about(folder / files.instruments), "", faults) if files.instruments else None
    carry = _or_faults(lambda: _long(folder / files.carry, ("per_year",)), "", faults) if files.carry else None
    if frame is not None and files.returns == Returns.CLOSE:
        faults += _not_positive(frame, files.prices)
    if frame is not None and about is not None and not set(about.index) & set(frame["id"]):
        faults.append(Fault("no_common_id", f"no id of {files.instruments} is among those of {files.prices}", ""))
    if faults or frame is None:
        raise BadInput(faults)
    if about is not None:
        frame = frame[frame["id"].isin(about.index)]
    return _quotes(files, frame, about, carry)


def _not_positive(frame: pd.DataFrame, name: str) -> list[Fault]:
    """Closes of zero or less, and factors of closes that are not above zero or missing."""
    faults, close = [], frame["close"] <= 0
    if close.any():
        found = counted(int(close.sum()), "close is not above zero", "closes are not above zero")
        faults.append(Fault("not_positive", f"{name}: {found}", "mend or drop them"))
    factor = ~(frame["adj_factor"] > 0) & frame["close"].notna() if "adj_factor" in frame else close & False
    if factor.any():
        found = counted(int(factor.sum()), "adj_factor is", "adj_factors are")
        faults.append(Fault("no_factor", f"{name}: {found} missing or not above zero", "mend or drop them"))
    return faults


def read_signals(files: TournamentFiles, folder: Path) -> pd.DataFrame:
    """A tournament's signals: date, id, signal. Raises BadInput with every fault."""
    if files.archive:
        return meta_model_signals(folder / files.archive, folder / files.weights if files.weights else None)
    frame = _long(folder / files.signals, ("signal",)).dropna(subset=["signal"])
    if not len(frame):
        raise BadInput(Fault("no_signal", f"{files.signals}: every signal is missing", "give numbers"))
    return frame


def signals_on(panel: Panel, frame: pd.DataFrame) -> Floats:
    """Signals on the rows of the panel (T x N), NaN where there is none; ids of no market are left out."""
    place = {name: column for column, name in enumerate(panel.ids)}
    frame = frame[frame["id"].isin(place)]
    out_TN = np.full(panel.index_TN.shape, np.nan)
    rows = np.searchsorted(panel.dates_T, frame["date"].to_numpy("datetime64[D]"))
    out_TN[rows, frame["id"].map(place).to_numpy(int)] = frame["signal"].to_numpy(float)
    return out_TN


def index_of(files: MarketFiles, wide: dict[str, pd.DataFrame]) -> tuple[Floats, Floats]:
    """An index of returns and the quoted price (D x N), NaN where there is no close.

    Back-adjusted: the return of the contract held is the change of the adjusted price over the price before. Moves
    beyond `largest_move` (down: its reciprocal) are cut to it; vendors' errors are some.
    """
    if files.returns == Returns.CLOSE:
        price = wide["close"]
        adjusted = price * wide["adj_factor"] if "adj_factor" in wide else price
        returns = adjusted / adjusted.ffill().shift() - 1.0
    else:
        price = wide["price"].where(wide["price"] > 0)
        adjusted, before = wide["adj_price"].where(price.notna()), price.ffill().shift()
        returns = (adjusted - adjusted.ffill().shift()) / before
        price = price.where(adjusted.notna())
    closed = price.notna()
    moved = returns.clip(1.0 / (1.0 + files.largest_move) - 1.0, files.largest_move).fillna(0.0)
    return (1.0 + moved).cumprod().where(closed).to_numpy(float), price.to_numpy(float)


def _quotes(files: MarketFiles, frame: pd.DataFrame, about: pd.DataFrame | None, carry: pd.DataFrame | None) -> Quotes:
    names = [name for name in ("close", "adj_factor", "adj_price", "price") if name in frame]
    wide = {name: frame.pivot(index="date", columns="id", values=name).astype(float) for name in names}
    index_DN, price_DN = index_of(files, wide)
    some = np.flatnonzero(np.isfinite(index_DN).any(axis=1))
    first = next(iter(wide.values()))
    days, ids = first.index.take(some), [str(name) for name in first.columns]
    index_DN, price_DN = index_DN[some], price_DN[some]
    told = pd.DataFrame(index=pd.Index(ids)) if about is None else about.reindex(ids)
    rate_DN = np.tile(_told(told, "carry_per_year", files.carry_per_year), (len(days), 1))
    if carry is not None:
        paid = carry.pivot(index="date", columns="id", values="per_year").astype(float)
        paid = paid.reindex(columns=ids).reindex(paid.index.union(days)).ffill().reindex(days)
        rate_DN = np.where(np.isfinite(paid.to_numpy()), paid.to_numpy(), rate_DN)
    return Quotes(
        days.to_numpy("datetime64[D]"), _instruments(files, told, ids), index_DN, price_DN,
        _spread(files, told, price_DN), rate_DN,
    )  # fmt: skip


def _instruments(files: MarketFiles, told: pd.DataFrame, ids: Sequence[str]) -> tuple[Instrument, ...]:
    groups = told["group"].tolist() if "group" in told else [files.group] * len(ids)
    calendars = told["calendar"].tolist() if "calendar" in told else [files.calendar] * len(ids)
    multipliers, borrows = _told(told, "multiplier", 1.0), _told(told, "borrow_per_year", files.borrow_per_year)
    return tuple(
        Instrument(
            name, str(groups[place]), Calendar(calendars[place]), float(multipliers[place]), float(borrows[place])
        )
        for place, name in enumerate(ids)
    )


def _spread(files: MarketFiles, told: pd.DataFrame, price_DN: Floats) -> Floats:
    """Half-spreads as fractions of the price: given so, or in points."""
    spread_DN = np.tile(_told(told, "half_spread", files.half_spread), (len(price_DN), 1))
    points_N = _told(told, "spread_points", np.nan)
    return np.where(np.isfinite(points_N) & np.isfinite(price_DN), np.minimum(points_N / price_DN, 0.5), spread_DN)


def _told(told: pd.DataFrame, name: str, otherwise: float) -> Floats:
    """A column of the instruments' file, or the market's own figure (N)."""
    if name not in told:
        return np.full(len(told), otherwise)
    return np.asarray(told[name].fillna(otherwise).to_numpy(float))


def _long(path: Path, needs: Sequence[str]) -> pd.DataFrame:
    """A long table with date, id and numbers. Raises BadInput with every fault."""
    frame = read_table(path)
    name = next((one for one in ID_COLUMNS if one in frame), None)
    missing = [one for one in ("date", *needs) if one not in frame] + ([] if name else ["id"])
    if missing:
        found = ", ".join(map(str, frame.columns[:12]))
        message = f"{path.name} has no column"
        raise BadInput([Fault("no_column", f"{message} '{one}'; found: {found}", f"add '{one}'") for one in missing])
    numbers = [*needs, *(one for one in ("adj_factor",) if one in frame)]
    faults = without(frame, str(name), path.name)
    frame = frame.rename(columns={name: "id"})
    frame = frame.assign(id=frame["id"].astype(str), date=as_dates(frame["date"]))
    if frame["date"].isna().any():
        found = counted(int(frame["date"].isna().sum()), "row has", "rows have")
        faults.append(Fault("bad_date", f"{path.name}: {found} no readable date", "write them like 2020-01-31"))
    faults += not_numbers(frame, numbers, path.name) + repeated(frame, ["date", "id"], path.name)
    for one in numbers:
        if is_numeric_dtype(frame[one]) and np.isinf(frame[one].to_numpy(float)).any():
            found = counted(int(np.isinf(frame[one].to_numpy(float)).sum()), "value is", "values are")
            faults.append(Fault("infinite", f"{path.name}: {found} infinite in '{one}'", "mend or drop them"))
    if faults:
        raise BadInput(faults)
    return frame[["date", "id", *numbers]].sort_values(["date", "id"])


def _about(path: Path) -> pd.DataFrame:
    """A file of instruments by id: group, and what differs among them. Raises BadInput with every fault."""
    frame = read_table(path, needs=("id", "group"))
    numbers = [name for name in NUMBERS if name in frame]
    faults = without(frame, "id", path.name) + without(frame, "group", path.name) + repeated(frame, ["id"], path.name)
    faults += not_numbers(frame, numbers, path.name)
    for name in numbers if not faults else ():
        least, most = NUMBERS[name]
        wrong = (frame[name] < least) | (frame[name] > most) | ((frame[name] == 0) & (name == "multiplier"))
        if wrong.any():
            examples = tuple(frame.loc[wrong, "id"].astype(str).head(3))
            found = counted(int(wrong.sum()), "value of", "values of")
            faults.append(
                Fault("out_of_range", f"{path.name}: {found} {name} outside {least:g} to {most:g}", "", examples)
            )
    if "calendar" in frame:
        for word in sorted(set(frame["calendar"].astype(str))):
            faults += word_faults(f"{path.name}: calendar", word, Calendar)
    if faults:
        raise BadInput(faults)
    return frame.assign(id=frame["id"].astype(str)).set_index("id")


def _group_faults(config: BookConfig, panel: Panel) -> list[Fault]:
    """Budgets and neutral groups that no instrument belongs to, and groups left without a budget."""
    known, faults = sorted(set(panel.groups)), []
    for what, names in (("budgets", config.budgets), ("neutral", config.neutral)):
        faults += [
            Fault("unknown_group", f"{what} name '{name}', a group of no instrument", f"known: {', '.join(known)}")
            for name in names
            if name not in known
        ]
    without_share = [name for name in known if config.budgets and name not in config.budgets]
    if without_share:
        message = f"{counted(len(without_share), 'group has', 'groups have')} no budget"
        faults.append(Fault("no_budget", message, "give each a share, or 0", tuple(without_share[:3])))
    return faults


def _or_faults(read: Callable[[], Read], name: str, faults: list[Fault]) -> Read | None:
    """What is read, or None with its faults noted under a name."""
    try:
        return read()
    except BadInput as error:
        faults += [Fault(one.code, f"{name}: {one.message}" if name else one.message, one.hint, one.examples)
                   for one in error.faults]  # fmt: skip
        return None
