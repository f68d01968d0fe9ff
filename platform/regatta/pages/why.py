"""Why the champion's weights of a round are what they are, as pages tell it.

The explanation was stored when the round closed (tournament/selectors/explanation/record.py has its form), what models
did add when it resolved; nothing is worked out anew here but shares and sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.urls import reverse
from django.utils.safestring import SafeString

from regatta.charts.bars import Bar, bars
from regatta.charts.colours import regime_number
from regatta.charts.numbers import percent, plain, signed
from regatta.ensemble.models import MetaModel, RoundWeights
from regatta.rounds.models import Tournament

SHOWN_MODELS, SHOWN_VARIABLES, SHOWN_TAKERS, SHOWN_CARRIERS = 8, 8, 2, 5
LEAST_MOVED, LEAST_ROUNDS = 0.0005, 2.0
WORDS = {"market_trend_3": "market trend, 3 months", "market_trend_12": "market trend, 12 months"}
ESTIMATES = {
    "scores": "the scores that the selector expects",
    "own": "the scores that the selector expects, on a scale of its own",
    "recent": "recent mean scores, for this selector expects none itself",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A stored explanation beside the weights it explains, and what came of it once that is known."""

    number: int
    family: str
    weights: dict[str, float]
    explanation: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def whose(self) -> str:
        """Whose expected scores the values rest on, in words."""
        return ESTIMATES[self.explanation["estimate"]]

    @property
    def knows_regimes(self) -> bool:
        """Whether the selector can say what it would give were a regime certain."""
        return bool(self.explanation.get("regimes"))

    def share(self, value: float | None) -> float | None:
        """A value as a share of the blend's expected corr; None where none of it is above zero."""
        whole = self.explanation["corr"]
        return value / whole if value is not None and whole is not None and whole > 0 else None

    def did_add(self, name: str, place: int) -> float | None:
        """What a model did add to the blend in linear corr: leave-one-out (place 0) or Shapley value (1)."""
        found = self.outcome.get("models", {}).get(name)
        return None if found is None else found[place]


@dataclass(frozen=True, slots=True)
class Left:
    """A model left out: what the blend would be expected to lose, and who would carry its weight."""

    name: str
    weight: float
    kept: float | None
    anew: float | None
    did: float | None
    takers: tuple[tuple[str, str], ...]
    """Who would gain most weight, and how many points of it."""


@dataclass(frozen=True, slots=True)
class ByRegime:
    """Weights by regime, of the models with most in any; the notes say how likely each is, or of how many rounds."""

    names: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[tuple[str, float, tuple[tuple[str, float, float], ...]], ...]
    """(model, weight now, (regime, weight, depth of its colour from 0 to 1))."""
    is_certain: bool
    """Whether they are what the selector would give were each certain; else what it gave on average."""


def told(row: RoundWeights | None) -> Told | None:
    """The explanation of a round's weights; None where none was stored."""
    if row is None or not row.explanation.get("format"):
        return None
    return Told(row.round.number, row.family, row.weights, row.explanation, row.outcome)


def draw_shares(why: Told, tournament: Tournament) -> SafeString:
    """A waterfall of what each model is expected to add to the blend (its Shapley value), and what it did add."""
    value = {name: why.share(values[2]) for name, values in why.explanation["models"].items()}
    found = {name: share for name, share in value.items() if share is not None}
    names = sorted(found, key=lambda name: (-abs(found[name]), name))
    rows, so_far = [], 0.0
    for name in names[:SHOWN_MODELS]:
        rows.append(_step(name, so_far, found[name], why.did_add(name, 1), href=reverse("model", args=[name])))
        so_far += found[name]
    if rest := names[SHOWN_MODELS:]:
        did = [why.did_add(name, 1) for name in rest]
        left = sum(found[name] for name in rest)
        known = [one for one in did if one is not None]
        rows.append(_step(f"{len(rest)} others", so_far, left, sum(known) if known else None))
        so_far += left
    if rows:
        rows.append(_step("The blend", 0.0, so_far, why.outcome.get("corr"), strong=True))
    heads = ("Model", "Expected to add", "Did add, corr")
    return bars(rows, title="What does each model add to the blend?", heads=heads, axis=percent)


def _step(
    name: str, start: float, change: float, did: float | None, *, strong: bool = False, href: str = ""
) -> Bar:  # fmt: skip
    paint = "var(--ink)" if strong else "var(--accent)" if change >= 0 else "var(--bad)"
    beside = "" if did is None else signed(did)
    return Bar(
        name, start, start + change, percent(change, 1), paint=paint, strong=strong, href=href, beside=beside
    )  # fmt: skip


def left_out(why: Told) -> list[Left]:
    """The heaviest models, each left out in turn."""
    rows, heaviest = [], sorted(why.explanation["without"], key=lambda name: (-why.weights.get(name, 0.0), name))
    for name in heaviest:
        corr, changes = why.explanation["without"][name]
        anew, kept = why.share(corr), why.share(why.explanation["models"].get(name, (None, None, None))[1])
        takers = sorted(changes.items(), key=lambda item: -item[1])[:SHOWN_TAKERS]
        rows.append(
            Left(
                name, why.weights.get(name, 0.0), None if kept is None else -kept, None if anew is None else anew - 1.0,
                why.did_add(name, 0), tuple((taker, _points(gain)) for taker, gain in takers if gain > 0),
            )
        )  # fmt: skip
    return rows


def by_regime(why: Told, tournament: Tournament) -> ByRegime | None:
    """Weights by regime, of the models with most in any; None before any regime was told."""
    names, notes, table = regime_table(why, tournament)
    if not table:
        return None
    most = sorted(table, key=lambda name: (-max(*table[name], why.weights.get(name, 0.0)), name))[:SHOWN_MODELS]
    deepest = max(max(table[name]) for name in most) or 1.0
    rows = tuple(
        (
            name,
            why.weights.get(name, 0.0),
            tuple((regime, share, share / deepest) for regime, share in zip(names, table[name], strict=True)),
        )
        for name in most
    )
    return ByRegime(names, notes, rows, why.knows_regimes)


Table = dict[str, list[float]]
"""A weight for each regime, by model."""


def regime_table(why: Told, tournament: Tournament) -> tuple[tuple[str, ...], tuple[str, ...], Table]:
    """Regimes, a note on each, and weights: what the selector would give were each certain, where it knows regimes."""
    if why.knows_regimes:
        stored = why.explanation["regimes"]
        notes = tuple(f"{percent(share)} now" for share in stored["probabilities"])
        return tuple(stored["names"]), notes, stored["weights"]
    return given_by_regime(why, tournament)


def given_by_regime(why: Told, tournament: Tournament) -> tuple[tuple[str, ...], tuple[str, ...], Table]:
    """Mean weights in the selector's own rounds up to this one, each counted by how likely the regime was in it."""
    past = RoundWeights.objects.filter(
        round__tournament=tournament, round__number__lte=why.number, family=why.family, round__regime__isnull=False
    ).values_list("weights", "round__regime__names", "round__regime__probabilities")
    given: dict[str, dict[str, float]] = {}
    rounds: dict[str, float] = {}
    for weights, names, probabilities in past:
        for regime, likely in zip(names, probabilities, strict=True):
            rounds[regime] = rounds.get(regime, 0.0) + likely
            models = given.setdefault(regime, {})
            for name, weight in weights.items():
                models[name] = models.get(name, 0.0) + likely * weight
    seen = tuple(sorted((one for one in rounds if rounds[one] >= LEAST_ROUNDS), key=regime_number))
    models_seen = sorted({name for regime in seen for name in given[regime]})
    table = {name: [given[regime].get(name, 0.0) / rounds[regime] for regime in seen] for name in models_seen}
    return seen, tuple(f"{rounds[regime]:.0f} rounds" for regime in seen), table


def draw_context(why: Told) -> SafeString:
    """How far each context variable moved the weights away from those of the average context."""
    stored = why.explanation.get("context")
    if not stored or not stored["moved"]:
        return SafeString("")
    models = list(stored["moved"])
    moved_MC = np.array([stored["moved"][name] for name in models])
    size_C = 0.5 * np.abs(moved_MC).sum(axis=0)
    rows = [
        Bar(
            variable(stored["names"][place]), 0.0, 100 * float(size_C[place]), plain(100 * float(size_C[place]), 1),
            _where(stored["spreads"][place], models, moved_MC[:, place]),
        )
        for place in np.argsort(-size_C, kind="stable")[:SHOWN_VARIABLES].tolist()
        if size_C[place] >= LEAST_MOVED
    ]  # fmt: skip
    heads = ("Variable", "Points moved", "")
    return bars(rows, title="What in the market moved the weights?", heads=heads, axis=_whole, unit="points")


def variable(name: str) -> str:
    """A context variable in words."""
    return WORDS.get(name, name.replace("_", " "))


def _where(spread: float | None, models: Sequence[str], moved_M: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    """`+1.8 s.d. · kelpie +8.1, undertow −6.0`."""
    ends = {int(moved_M.argmax()): moved_M.max() > 0, int(moved_M.argmin()): moved_M.min() < 0}
    said = ", ".join(f"{models[place]} {_points(float(moved_M[place]))}" for place, is_told in ends.items() if is_told)
    return f"{signed(spread, 1)} s.d. · {said}" if spread is not None else said


def moved_in_all(why: Told) -> float | None:
    """Weight that the context as a whole moved, as a share of all; None where the selector reads none."""
    stored = why.explanation.get("context")
    return None if not stored else 0.5 * sum(abs(sum(changes)) for changes in stored["moved"].values())


def like(why: Told, tournament: Tournament) -> list[dict[str, Any]]:
    """The past rounds most like this one: how like, their regime, and what the meta-model scored in them."""
    pairs = why.explanation["like"]["rounds"]
    numbers = [number for number, _ in pairs]
    found = MetaModel.objects.filter(round__tournament=tournament, round__number__in=numbers)
    values = found.values_list("round__number", "corr", "round__regime__names", "round__regime__label")
    then = {number: (corr, names[label] if names else "") for number, corr, names, label in values}
    most = max((value for _, value in pairs), default=1.0) or 1.0
    return [
        {
            "number": number, "similarity": value, "length": value / most,
            "corr": then.get(number, (None, ""))[0], "regime": then.get(number, (None, ""))[1],
        }
        for number, value in pairs
    ]  # fmt: skip


def carriers(why: Told | None) -> list[tuple[str, float | None, float | None]]:
    """The models that were expected to add most to the blend: name, share of its expected corr, what they did add."""
    if why is None:
        return []
    value = {name: values[2] or 0.0 for name, values in why.explanation["models"].items()}
    most = sorted(value, key=lambda name: (-value[name], name))[:SHOWN_CARRIERS]
    return [(name, why.share(value[name]), why.did_add(name, 1)) for name in most]


@dataclass(frozen=True, slots=True)
class Thought:
    """What the selector thinks of one model."""

    number: int
    family: str
    weight: float
    adds: float | None
    left: Left | None
    regimes: tuple[tuple[str, float], ...]
    is_certain: bool


def of_model(why: Told | None, name: str, tournament: Tournament) -> Thought | None:
    """What the selector thinks of one model; None where nothing was told."""
    if why is None:
        return None
    values = why.explanation["models"].get(name)
    names, _, table = regime_table(why, tournament)
    were = table.get(name, [0.0] * len(names))
    left = next((one for one in left_out(why) if one.name == name), None)
    return Thought(
        why.number, why.family, why.weights.get(name, 0.0), why.share(values[2]) if values else None, left,
        tuple(zip(names, were, strict=True)), why.knows_regimes,
    )  # fmt: skip


def _points(change: float) -> str:
    return signed(100 * change, 1)


def _whole(value: float | None) -> str:
    return plain(value, 0 if value is None or float(value).is_integer() else 1)
