"""What a backtest may be told: constraints, costs, risk model, overlay and how strong the signal is, from TOML."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from tournament.errors import BadConfig, Fault
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.risk import FACTORS, HALF_LIFE_DAYS, SHAPE_HALF_LIFE_DAYS


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """The statistical factor model: its factors, the days that it looks back, and its half-lives in days.

    The first half-life is that of variances, the second that of the factors' directions.
    """

    factors: int = FACTORS
    window_days: int = 504
    half_life_days: float = HALF_LIFE_DAYS
    shape_half_life_days: float = SHAPE_HALF_LIFE_DAYS
    least_days: int = 60

    def __post_init__(self) -> None:
        """Refuse more days than are looked at. Raises BadConfig."""
        if self.least_days > self.window_days:
            message = f"least_days is {self.least_days}, of a window of {self.window_days} days"
            raise BadConfig(Fault("limit", message, "give no more than window_days"))


@dataclass(frozen=True, slots=True)
class Overlay:
    """What scales the whole book down: a target volatility a year (0: none). Never up."""

    target_volatility: float = 0.0


@dataclass(frozen=True, slots=True)
class SignalConfig:
    """What is expected of the signal: its corr with the returns over the days that it is held.

    `trials` is how many signals were tried before this one, itself included: it deflates the Sharpe ratio.
    """

    expected_corr: float = 0.03
    horizon_days: int = 20
    trials: int = 1


@dataclass(frozen=True, slots=True)
class Execution:
    """How books are filled: closes of delay, and what trading them costs besides spread and borrow.

    A trade's impact is `impact` x daily volatility x (trade / daily volume)^(1/2), as a fraction of the trade, for a
    book of `capital` in the money of the volumes; nothing where prices come without volumes.
    """

    delay_days: int = 1
    impact: float = 1.0
    capital: float = 1e7
    cash_per_year: float = 0.0
    delisting_return: float = 0.0


@dataclass(frozen=True, slots=True)
class BacktestConfig:
    """Defaults: dollar-neutral, gross 1, no position above 2 %, beta-neutral, spread, impact and borrow paid."""

    constraints: Limits = field(default_factory=Limits)
    costs: Costs = field(default_factory=Costs)
    risk: RiskConfig = field(default_factory=RiskConfig)
    overlay: Overlay = field(default_factory=Overlay)
    signal: SignalConfig = field(default_factory=SignalConfig)
    execution: Execution = field(default_factory=Execution)


Config = TypeVar("Config", bound=Any)
Ranges = Mapping[tuple[str, str], tuple[float, float]]
RANGES: Ranges = {
    ("constraints", "net"): (-math.inf, math.inf),
    ("risk", "factors"): (1, 100),
    ("risk", "window_days"): (2, math.inf),
    ("risk", "half_life_days"): (0.1, math.inf),
    ("risk", "shape_half_life_days"): (0.1, math.inf),
    ("risk", "least_days"): (2, math.inf),
    ("signal", "horizon_days"): (1, math.inf),
    ("signal", "expected_corr"): (0, 1),
    ("signal", "trials"): (1, math.inf),
    ("costs", "half_spread"): (0, 1),
    ("execution", "delay_days"): (1, 250),
    ("execution", "capital"): (1e-9, math.inf),
    ("execution", "cash_per_year"): (-1, 1),
    ("execution", "delisting_return"): (-1, 1),
}
"""Least and most of what may not be any finite number of zero or more."""


def read_config(path: Path | None) -> BacktestConfig:
    """The config of a TOML file; the defaults when there is none. Raises BadConfig with every fault."""
    if path is None:
        return BacktestConfig()
    try:
        return config_from(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(Fault("unreadable", f"{path} cannot be read: {error}", "give a TOML file")) from None


def config_from(tables: Mapping[str, Any]) -> BacktestConfig:
    """The config of nested tables. Raises BadConfig with every fault."""
    return sections_of(tables, BacktestConfig(), RANGES)


def sections_of(tables: Mapping[str, Any], defaults: Config, ranges: Ranges) -> Config:
    """Sections of keys laid over defaults, a dataclass of dataclasses. Raises BadConfig with every fault."""
    made: dict[str, Any] = {}
    faults: list[Fault] = []
    known = [one.name for one in fields(defaults)]
    for name, table in tables.items():
        if name not in known:
            faults.append(Fault("unknown_key", f"there is no section [{name}]", f"known: {', '.join(known)}"))
        elif not isinstance(table, Mapping):
            faults.append(Fault("not_a_section", f"'{name}' is {table!r}", f"write it as a section [{name}]"))
        else:
            default = getattr(defaults, name)
            faults += key_faults(name, table, default, ranges)
            made[name] = _make(name, default, fitting(name, table, default, ranges), faults)
    if faults:
        raise BadConfig(faults)
    return replace(defaults, **made)


def _make(section: str, default: Any, table: Mapping[str, Any], faults: list[Fault]) -> Any:
    try:
        return type(default)(**table)
    except BadConfig as error:
        faults += [Fault(one.code, f"[{section}] {one.message}", one.hint) for one in error.faults]
        return default


def key_faults(section: str, table: Mapping[str, Any], default: Any, ranges: Ranges) -> list[Fault]:
    """Keys that a dataclass does not have, of another kind than its defaults, or out of range."""
    known = {one.name: getattr(default, one.name) for one in fields(default)}
    faults = []
    for key, value in table.items():
        if key not in known:
            message = f"[{section}] has no key '{key}'"
            faults.append(Fault("unknown_key", message, f"known: {', '.join(known)}"))
        elif not _fits(value, known[key]):
            kind = type(known[key]).__name__
            faults.append(
                Fault("wrong_kind", f"[{section}] {key} is {value!r}", f"expected a {kind}, like {known[key]}")
            )
        else:
            least, most = ranges.get((section, key), (0, math.inf))
            if isinstance(value, str):
                continue
            if not math.isfinite(value) or not least <= value <= most:
                faults.append(Fault("out_of_range", f"[{section}] {key} is {value}", _within(least, most)))
    return faults


def fitting(section: str, table: Mapping[str, Any], default: Any, ranges: Ranges) -> dict[str, Any]:
    """The keys without a fault of their own: what else is wrong with them can be told beside the faults of others."""
    return {key: value for key, value in table.items() if not key_faults(section, {key: value}, default, ranges)}


def _within(least: float, most: float) -> str:
    if most < math.inf:
        return f"give {least} to {most}"
    return "give a finite number" if least == -math.inf else f"give a finite number of {least} or more"


def _fits(value: Any, example: Any) -> bool:
    """A whole number may stand where a fraction is expected, nothing else."""
    if isinstance(example, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(example)
