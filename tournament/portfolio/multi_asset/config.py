"""What a multi-asset book may be told, from one TOML file: rules, risk, budgets, markets and tournaments."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from tournament.errors import BadConfig, Fault
from tournament.portfolio.config import Ranges, fitting, key_faults, sections_of
from tournament.portfolio.multi_asset.instruments import Calendar


class Method(StrEnum):
    """How money is shared out; what signals are there give directions and sizes."""

    EQUAL_MONEY = "equal_money"
    EQUAL_VOLATILITY = "equal_volatility"
    RISK_PARITY = "risk_parity"
    NESTED_RISK_PARITY = "nested_risk_parity"
    HIERARCHICAL = "hierarchical"
    BLACK_LITTERMAN = "black_litterman"
    CONVEX = "convex"


class Standard(StrEnum):
    """What a tournament's numbers say: which assets are better than others, or which way each goes and how surely."""

    RELATIVE = "relative"
    DIRECTIONAL = "directional"


class Returns(StrEnum):
    """Where returns come from: adjusted closes, or a back-adjusted price beside that of the contract held."""

    CLOSE = "close"
    BACK_ADJUSTED = "back_adjusted"


@dataclass(frozen=True, slots=True)
class Rules:
    """The book's rules. Volatility a year; gross and position in fractions of the book, as notional for futures.

    `position_risk` is the most of the target volatility that one position may have by itself. A book is chosen every
    `every_days` weekdays and filled `delay_days` later, each instrument at its next close within `wait_days` rows.
    `capital` in the money of multipliers: with `contracts = "whole"` positions are whole contracts of it.
    """

    method: str = Method.CONVEX.value
    target_volatility: float = 0.10
    gross: float = 10.0
    position: float = 2.0
    position_risk: float = 0.5
    every_days: int = 5
    delay_days: int = 1
    horizon_days: int = 20
    wait_days: int = 5
    gone_days: int = 15
    capital: float = 1e7
    contracts: str = "fractional"

    def __post_init__(self) -> None:
        """Refuse words that are none of those known. Raises BadConfig."""
        faults = word_faults("method", self.method, Method)
        if self.contracts not in ("fractional", "whole"):
            faults.append(Fault("unknown_word", f"contracts is '{self.contracts}'", "known: fractional, whole"))
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class RiskRules:
    """The risk model. Correlations from returns over `overlap_days`, as markets close at different hours of a day.

    Volatilities have a half-life of their own, shorter than that of correlations; all in days of the book. At least
    `least_own` of an instrument's variance is its own, so that no two are taken to be the same thing: a book of signed
    positions would else lean on hedges that hold in the past alone.
    """

    factors: int = 10
    window_days: int = 504
    half_life_days: float = 252.0
    overlap_days: int = 5
    volatility_half_life_days: float = 32.0
    least_days: int = 126
    least_volatility: float = 0.01
    least_own: float = 0.1

    def __post_init__(self) -> None:
        """Refuse more days than are looked at. Raises BadConfig."""
        if self.least_days > self.window_days:
            message = f"least_days is {self.least_days}, of a window of {self.window_days} days"
            raise BadConfig(Fault("limit", message, "give no more than window_days"))


@dataclass(frozen=True, slots=True)
class MarketFiles:
    """One market's files and what holds for all its instruments unless the instruments' own file says otherwise."""

    name: str = ""
    prices: str = ""
    returns: str = Returns.CLOSE.value
    instruments: str = ""
    group: str = ""
    calendar: str = Calendar.WEEKDAYS.value
    carry: str = ""
    carry_per_year: float = 0.0
    half_spread: float = 0.0005
    borrow_per_year: float = 0.0
    largest_move: float = 0.5

    def __post_init__(self) -> None:
        """Refuse words that are none of those known, and a market without name or prices. Raises BadConfig."""
        faults = word_faults("returns", self.returns, Returns) + word_faults("calendar", self.calendar, Calendar)
        faults += [Fault("missing", f"it has no {key}", f"add {key}") for key in ("name", "prices")
                   if not getattr(self, key)]  # fmt: skip
        if not self.group and not self.instruments:
            faults.append(Fault("missing", "it has no group", "name one, or give a file of instruments with them"))
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class TournamentFiles:
    """One tournament's signals: a file of date, id, signal, known at the close of date; ids of one or more markets.

    Or its archive, whose rounds are blended by a selector's `weights` (alike without), known at their closing.
    `expected_corr` of its standardised signals with returns over `horizon_days`; a signal older than `age_days` is
    forgotten. `weight` scales its alphas.
    """

    name: str = ""
    signals: str = ""
    archive: str = ""
    weights: str = ""
    standard: str = Standard.RELATIVE.value
    expected_corr: float = 0.03
    horizon_days: int = 20
    age_days: int = 31
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse words that are none of those known, and a tournament without name or signals. Raises BadConfig."""
        faults = word_faults("standard", self.standard, Standard)
        if not self.name:
            faults.append(Fault("missing", "it has no name", "add name"))
        if bool(self.signals) == bool(self.archive):
            found = "both signals and archive" if self.signals else "neither signals nor archive"
            faults.append(Fault("missing", f"it has {found}", "give the one or the other"))
        if self.weights and not self.archive:
            faults.append(Fault("missing", "it has weights but no archive", "weights blend an archive's models"))
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class BookConfig:
    """All of it. `budgets` are shares of risk by group, brought to sum to 1; none: the same for every group.

    `neutral` names groups whose positions sum to nothing.
    """

    book: Rules = field(default_factory=Rules)
    risk: RiskRules = field(default_factory=RiskRules)
    budgets: Mapping[str, float] = field(default_factory=dict)
    neutral: tuple[str, ...] = ()
    markets: tuple[MarketFiles, ...] = ()
    tournaments: tuple[TournamentFiles, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sections:
    book: Rules = field(default_factory=Rules)
    risk: RiskRules = field(default_factory=RiskRules)


RANGES: Ranges = {
    ("book", "target_volatility"): (1e-4, 2.0),
    ("book", "gross"): (1e-3, 100.0),
    ("book", "position"): (1e-4, 100.0),
    ("book", "position_risk"): (1e-3, 10.0),
    ("book", "every_days"): (1, 250),
    ("book", "delay_days"): (1, 20),
    ("book", "horizon_days"): (1, 500),
    ("book", "gone_days"): (2, 100),
    ("book", "capital"): (1.0, math.inf),
    ("risk", "factors"): (1, 100),
    ("risk", "window_days"): (20, 100_000),
    ("risk", "half_life_days"): (1.0, math.inf),
    ("risk", "overlap_days"): (1, 60),
    ("risk", "volatility_half_life_days"): (1.0, math.inf),
    ("risk", "least_days"): (10, 100_000),
    ("risk", "least_own"): (0.0, 1.0),
    ("market", "carry_per_year"): (-2.0, 2.0),
    ("market", "half_spread"): (0.0, 0.5),
    ("market", "largest_move"): (0.01, 100.0),
    ("tournament", "expected_corr"): (0.0, 1.0),
    ("tournament", "horizon_days"): (1, 500),
    ("tournament", "age_days"): (0, 5000),
}
Kind = TypeVar("Kind", bound=Any)
KNOWN = ("book", "risk", "budgets", "neutral", "market", "tournament")


def word_faults(key: str, word: str, known: type[StrEnum]) -> list[Fault]:
    """A fault where a word is none of an enumeration."""
    if word in list(known):
        return []
    return [Fault("unknown_word", f"{key} is '{word}'", f"known: {', '.join(known)}")]


def read_book_config(path: Path) -> BookConfig:
    """The config of a TOML file. Raises BadConfig with every fault."""
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(Fault("unreadable", f"{path} cannot be read: {error}", "give a TOML file")) from None
    return book_config_from(tables)


def book_config_from(tables: Mapping[str, Any]) -> BookConfig:
    """The config of nested tables. Raises BadConfig with every fault."""
    faults = [
        Fault("unknown_key", f"there is no section [{name}]", f"known: {', '.join(KNOWN)}")
        for name in tables
        if name not in KNOWN
    ]
    sections = _Sections()
    try:
        sections = sections_of({key: tables[key] for key in ("book", "risk") if key in tables}, sections, RANGES)
    except BadConfig as error:
        faults += error.faults
    markets = _list(tables.get("market", []), "market", MarketFiles, faults)
    tournaments = _list(tables.get("tournament", []), "tournament", TournamentFiles, faults)
    faults += _budget_faults(tables.get("budgets", {})) + _neutral_faults(tables.get("neutral", []))
    if not tables.get("market"):
        faults.append(Fault("missing", "there is no [[market]]", "give at least one, with name and prices"))
    if faults:
        raise BadConfig(faults)
    return BookConfig(
        sections.book, sections.risk, dict(tables.get("budgets", {})), tuple(tables.get("neutral", [])),
        tuple(markets), tuple(tournaments),
    )  # fmt: skip


def _list(tables: object, section: str, kind: type[Kind], faults: list[Fault]) -> list[Kind]:
    """Every [[section]] as its dataclass; its faults say which one."""
    if not isinstance(tables, Sequence) or not all(isinstance(table, Mapping) for table in tables):
        faults.append(Fault("not_a_section", f"'{section}' is no list of sections", f"write each as [[{section}]]"))
        return []
    made = []
    for place, table in enumerate(tables, start=1):
        defaults = _blank(kind)
        wrong = key_faults(section, table, defaults, RANGES)
        try:
            made.append(kind(**fitting(section, table, defaults, RANGES)))
        except BadConfig as error:
            wrong += error.faults
        which = f"[[{section}]] {table.get('name') or f'number {place}'}"
        faults += [Fault(one.code, f"{which}: {one.message}", one.hint, one.examples) for one in wrong]
    names = [one.name for one in made]
    again = sorted({name for name in names if names.count(name) > 1})
    if again:
        faults.append(Fault("repeated", f"more than one [[{section}]] is called {', '.join(again)}", "name each apart"))
    return made


def _blank(kind: type[Kind]) -> Kind:
    """Defaults to hold keys against: with whatever must be given filled in."""
    if kind is MarketFiles:
        return kind(name="one", prices="one", group="one")
    return kind(name="one", signals="one")


def _budget_faults(table: object) -> list[Fault]:
    if not isinstance(table, Mapping):
        return [Fault("not_a_section", f"'budgets' is {table!r}", "write group = share under [budgets]")]
    wrong = [
        f"{name} = {share!r}" for name, share in table.items()
        if isinstance(share, bool) or not isinstance(share, int | float) or not math.isfinite(share) or share < 0
    ]  # fmt: skip
    faults = [Fault("bad_budget", f"a budget is no share: {one}", "give numbers of 0 or more") for one in wrong]
    if table and not wrong and sum(table.values()) <= 0:
        faults.append(Fault("bad_budget", "no group has a budget above 0", "give one"))
    return faults


def _neutral_faults(names: object) -> list[Fault]:
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return []
    return [Fault("wrong_kind", f"neutral is {names!r}", 'expected names of groups, like ["stocks"]')]
