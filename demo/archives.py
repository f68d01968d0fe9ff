"""A tournament archive from prices: a fleet refitted as years go by, each time on what was resolved by then.

Shape suffixes: D dates, E eras, N assets, F features, K context columns, M models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from contributors.roster import Entry
from contributors.strategies import MIDDLE_BIN, Strategy, Training, uniform_ranks
from tournament.archive import MIN_RELATION, ArchivedRound
from tournament.errors import BadConfig, BadPanel, Fault
from tournament.markets import dataset
from tournament.markets.context import context_matrix
from tournament.markets.features import FEATURES, bin_features, feature_cube
from tournament.markets.panel import Floats, PricePanel
from tournament.markets.quality import inspect
from tournament.markets.targets import bin_target, forward_returns, neutral_returns, rank_target
from tournament.rules import Rules
from tournament.scoring.blend import blend
from tournament.scoring.panel import score_panel
from tournament.scoring.payout import payout

LEAST_ERAS = 40
"""Resolved eras that the first fit needs."""
LEAST_ASSETS = 10
THINNING = 2
"""Models learn from every second era: neighbours share three quarters of their targets."""


@dataclass(frozen=True, slots=True)
class Course:
    """How many rounds, after how many of them the fleet is refitted, on how many of the newest eras at most.

    Twelve years by default: on US stocks the mean model then scores 0.004, having learned from five 0.0004.
    """

    rounds: int = 420
    retrain_every: int = 52
    training_eras: int = 600
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible numbers. Raises BadConfig with every fault."""
        limits = (("rounds", 1), ("retrain_every", 1), ("training_eras", LEAST_ERAS))
        faults = [
            Fault("out_of_range", f"{name.replace('_', ' ')} is {getattr(self, name)}", f"give {least} or more")
            for name, least in limits
            if getattr(self, name) < least
        ]
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class Eras:
    """The eras that a course needs, oldest first; the last `rounds` of them are its rounds."""

    assets: tuple[str, ...]
    key: bytes
    """What the assets' ids are made from, so that rows cannot be followed through time."""
    rows_E: NDArray[np.intp]
    opens_at_E: NDArray[np.datetime64]
    closes_at_E: NDArray[np.datetime64]
    resolves_at_E: NDArray[np.datetime64]
    universe_EN: NDArray[np.bool_]
    names: tuple[str, ...]
    features_ENF: NDArray[np.int8]
    targets: dict[str, Floats]
    context_EK: Floats


def lay_out(panel: PricePanel, rules: Rules, course: Course, member_DN: NDArray[np.bool_] | None = None) -> Eras:
    """Universe, features, targets and context of the course's eras. Raises BadPanel when prices do not suffice.

    The universe is who was priced long enough by then and, where membership is given, a member that day.
    """
    rows = _rows(panel, rules, course)
    universe = dataset.present(panel, rows)
    if member_DN is not None:
        universe &= member_DN[rows]
    enough = universe.sum(axis=1) >= LEAST_ASSETS
    if not enough[-course.rounds :].all() or enough.sum() < course.rounds + LEAST_ERAS:
        message = f"{int((~enough).sum())} of {len(rows)} eras have fewer than {LEAST_ASSETS} assets"
        raise BadPanel(Fault("few_assets", message, "give a wider panel or fewer rounds"))
    rows, universe = rows[enough], universe[enough]
    context = context_matrix(panel, rows)
    if not np.isfinite(context[-course.rounds :]).all():
        raise BadPanel(Fault("context", "the market's context is not known in every round", "give a longer panel"))
    names, raw = feature_cube(panel, rows)
    days, hour = panel.dates_D.astype("datetime64[s]"), np.timedelta64(rules.opens_hour_utc, "h")
    opens_at, window = days[rows] + hour, np.timedelta64(rules.window_hours, "h")
    return Eras(
        panel.ids, f"archive {course.seed}".encode(), rows, opens_at, opens_at + window,
        days[rows + _days_to_resolve(rules)] + hour, universe, names, bin_features(raw, universe),
        _targets(panel, rows, universe, rules), context,
    )  # fmt: skip


def _targets(panel: PricePanel, rows: NDArray[np.intp], universe: NDArray[np.bool_], rules: Rules) -> dict[str, Floats]:
    """The tournament's targets, ranked within the universe (E x N each)."""
    returns = np.where(universe, forward_returns(panel, rows, horizon=rules.horizon_days, lag=rules.lag_days), np.nan)
    return {"target": bin_target(neutral_returns(returns, panel, rows)), "target_rank": rank_target(returns)}


def _rows(panel: PricePanel, rules: Rules, course: Course) -> NDArray[np.intp]:
    """Rows of the eras from the oldest that the first fit may use to the newest whose target is known."""
    refusals = inspect(panel, rules).refusals
    if refusals:
        raise BadPanel([Fault(found.code, found.message, "mend the prices", found.places[:3]) for found in refusals])
    rows = dataset.era_rows(panel, rules)
    rows = rows[rows + _days_to_resolve(rules) < len(panel.dates_D)]
    waiting = -(-_days_to_resolve(rules) // rules.cadence_days)
    needed = course.rounds + waiting + LEAST_ERAS
    if len(rows) < needed:
        message = f"{len(rows)} resolved eras; {course.rounds} rounds need {needed}: {LEAST_ERAS} to learn from first"
        raise BadPanel(Fault("short_history", message, "give a longer panel or fewer rounds"))
    return rows[-(course.rounds + waiting + course.training_eras) :]


def _days_to_resolve(rules: Rules) -> int:
    return rules.lag_days + rules.horizon_days


def training_material(eras: Eras, era: int, limit: int) -> Training:
    """The train file at an era's opening: only eras whose targets were resolved by then, the newest, thinned."""
    resolved = np.flatnonzero(eras.resolves_at_E <= eras.opens_at_E[era])[-limit:][::-1][::THINNING][::-1]
    frames = []
    for known in resolved:
        columns = np.flatnonzero(eras.universe_EN[known])
        frame = pd.DataFrame(eras.features_ENF[known, columns], columns=list(eras.names))
        targets = {name: values[known, columns] for name, values in eras.targets.items()}
        frames.append(frame.assign(era=int(known) + 1, **targets))
    return Training.read(pd.concat(frames, ignore_index=True), _description(eras.names))


def _description(names: tuple[str, ...]) -> dict[str, Any]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(FEATURES[name][0], []).append(name)
    return {"features": list(names), "groups": groups}


class Stakes:
    """Points at stake of each model, which grow and shrink with every payout; a target pays when it is resolved."""

    def __init__(self, fleet: Sequence[Entry], rules: Rules) -> None:
        self.rules = rules
        self.points = {entry.model: Decimal(entry.stake) for entry in fleet}
        self.owed: list[tuple[np.datetime64, dict[str, Decimal]]] = []

    def at(self, time: np.datetime64, models: Sequence[str]) -> dict[str, float]:
        """What each model has at stake at a round's opening, all payouts due by then made."""
        due = [payouts for when, payouts in self.owed if when <= time]
        self.owed = [one for one in self.owed if one[0] > time]
        for payouts in due:
            for model, points in payouts.items():
                self.points[model] = max(Decimal(1), self.points[model] + points)
        return {model: float(self.points[model]) for model in models}

    def score(self, one: ArchivedRound) -> None:
        """Write down what a round will pay, from its scores beside the stake-weighted blend."""
        weights = np.array([one.stakes[model] for model in one.models])
        scores = score_panel(
            one.predictions_NM, one.target_or_nan(), meta_N=blend(one.predictions_NM, weights / weights.sum())
        )
        paid = {
            model: payout(Decimal(repr(one.stakes[model])), float(corr), float(mmc), self.rules)
            for model, corr, mmc in zip(one.models, scores.corr, scores.mmc, strict=True)
        }
        self.owed.append((one.resolves_at, paid))


def sail(eras: Eras, fleet: Sequence[Entry], course: Course, rules: Rules) -> Iterator[ArchivedRound]:
    """Every round of the course, oldest first, with what the fleet predicted and had at stake."""
    stakes, strategies = Stakes(fleet, rules), dict[str, Strategy]()
    for number, era in enumerate(range(len(eras.rows_E) - course.rounds, len(eras.rows_E)), start=1):
        if (number - 1) % course.retrain_every == 0:
            training = training_material(eras, era, course.training_eras)
            strategies = {entry.model: _fitted(entry, training) for entry in fleet}
        here = {entry.model: strategies[entry.model] for entry in fleet if entry.sails(number)}
        one = _round(eras, era, number, here, stakes.at(eras.opens_at_E[era], list(here)))
        if one.target_N is not None:
            stakes.score(one)
        yield one


def _fitted(entry: Entry, training: Training) -> Strategy:
    strategy = entry.make()
    strategy.fit(training)
    return strategy


def _round(
    eras: Eras, era: int, number: int, strategies: dict[str, Strategy], stakes: dict[str, float]
) -> ArchivedRound:
    columns = np.flatnonzero(eras.universe_EN[era])
    label = dataset.era_label(number - 1)
    ids = np.array([dataset.asset_id(eras.key, label, eras.assets[column]) for column in columns])
    order = np.argsort(ids)
    columns = columns[order]
    features = eras.features_ENF[era, columns].astype(np.float64) - MIDDLE_BIN
    predictions = [uniform_ranks(strategy.predict(features, number)) for strategy in strategies.values()]
    return ArchivedRound(
        number, eras.opens_at_E[era], eras.closes_at_E[era], eras.resolves_at_E[era], tuple(ids[order]),
        tuple(strategies), np.stack(predictions, axis=1).astype(np.float32), _target(eras, era, columns),
        eras.context_EK[era], eras.opens_at_E[era], stakes,
    )  # fmt: skip


def _target(eras: Eras, era: int, columns: NDArray[np.intp]) -> Floats | None:
    """A round's target; None where prices of too many of its assets ended: such a round is never scored."""
    target_N = eras.targets["target"][era, columns]
    return target_N if np.isfinite(target_N).mean() >= MIN_RELATION else None
