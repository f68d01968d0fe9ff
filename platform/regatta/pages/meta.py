"""The meta-model: which models the fleet follows, in which wind, and whether the champion is really better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from regatta.access import open_to_all
from regatta.charts.figure import Chart
from regatta.charts.intervals import Interval, intervals
from regatta.charts.lines import Curve, lines
from regatta.charts.numbers import corr, signed, two
from regatta.charts.river import river
from regatta.ensemble.models import MetaModel, RegimeState, RoundWeights, SelectorVersion
from regatta.ensemble.training import record
from regatta.pages import watches, why
from regatta.pages.context import required
from regatta.pages.downloads import csv_file
from regatta.rounds.models import Tournament
from regatta.scores.models import Leaderboard
from tournament.evaluation.compare import Difference, mean_and_error, paired
from tournament.evaluation.monitors import LEAST_BEFORE
from tournament.selectors.protocol import Floats

Record = dict[str, Floats]
"""corr of each selector's live blend by round."""

SHOWN_ROUNDS, SHOWN_MODELS, SHOWN_VERSIONS = 120, 12, 12
RIVALS = (
    ("meta-model", 1, "var(--accent)"),
    ("equal weight", 2, "var(--edge)"),
    ("stake weight", 3, "var(--regime-2)"),
)
HEAVY = ("round__context", "round__stakes", "round__panel_models", "explanation", "outcome", "own")


@open_to_all()
@require_safe
def meta_model(request: HttpRequest) -> HttpResponse:
    """The river of weights under the regimes, the selectors compared, what leads, and why the weights are as they are.

    `?round=` shows the page as it was when that round's weights were given.
    """
    tournament = required(request)
    asked = asked_round(request)
    weights = fleet_weights(tournament, through=asked)
    newest = weights[-1] if weights else None
    if asked is not None and (newest is None or newest.round.number != asked):
        raise Http404(f"round {asked} has no weights")
    at = tournament.now() if asked is None or newest is None else newest.known_at
    table, overlap = record(tournament, at), tournament.parsed_rules().overlap_rounds
    stands_in, watch = watches.standing_in(newest), watches.newest_watch(tournament, at)
    leading = stands_in.leader if stands_in else newest.family if newest else ""
    state = getattr(newest.round, "regime", None) if newest else None
    context = {
        "tournament": tournament, "newest": newest, "shown": len(weights), "river": draw_river(weights),
        "wind": wind(state), "regime": state, "likeliest": max(wind(state), key=lambda one: one[1], default=None),
        "counted": len(newest.round.panel_models) if newest else 0, "models": top_models(tournament, weights, at),
        "compare": compare(table, leading, overlap), "asked": asked,
        "champion": standing_of(table, leading, overlap),
        "meta": MetaModel.objects.filter(round=newest.round).first() if newest else None,
        "gain": draw_gain(tournament, at), "versions": versions(tournament, at), **explained(newest, tournament),
        "stands_in": stands_in, "kept": watches.kept(watch), "gaps": watches.gaps(watch),
        "limit": tournament.parsed_rules().novelty_limit, "least": LEAST_BEFORE,
    }  # fmt: skip
    return render(request, "pages/meta_model.html", context)


def asked_round(request: HttpRequest) -> int | None:
    """The number in `?round=`; None for the newest. Raises Http404 when it is no number."""
    text = request.GET.get("round", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Http404("a round is a number")
    return int(text)


def explained(newest: RoundWeights | None, tournament: Tournament) -> dict[str, Any]:
    """Everything that the page says of why."""
    found = why.told(newest)
    if found is None:
        return {}
    return {
        "why": found, "adds": why.draw_shares(found, tournament), "left_out": why.left_out(found),
        "by_regime": why.by_regime(found, tournament), "pushes": why.draw_context(found),
        "moved": why.moved_in_all(found), "like": why.like(found, tournament),
    }  # fmt: skip


@open_to_all()
@require_safe
def weights_file(request: HttpRequest) -> HttpResponse:
    """Every weight of the meta-model, oldest round first, as CSV."""
    tournament = required(request)
    found = RoundWeights.objects.filter(round__tournament=tournament, answers=True).order_by("round__number")
    rows = (
        (number, family, model, weight)
        for number, family, weights in found.values_list("round__number", "family", "weights")
        for model, weight in sorted(weights.items())
    )
    return csv_file(f"weights_{tournament.slug}", ("round", "selector", "model", "weight"), rows)


def fleet_weights(
    tournament: Tournament, count: int = SHOWN_ROUNDS, *, through: int | None = None
) -> list[RoundWeights]:
    """The meta-model's weights of the last rounds (up to a number), oldest first, with their regimes."""
    found = RoundWeights.objects.filter(round__tournament=tournament, answers=True)
    if through is not None:
        found = found.filter(round__number__lte=through)
    return list(found.select_related("round__regime", "selector").defer(*HEAVY).order_by("-round__number")[:count])[
        ::-1
    ]


def regime_name(row: RoundWeights) -> str | None:
    """The name of the likeliest regime of the round; None before regimes were told."""
    state: RegimeState | None = getattr(row.round, "regime", None)
    return None if state is None else str(state.names[state.label])


def draw_river(weights: Sequence[RoundWeights]) -> Chart:
    """The river of the largest models and the rest."""
    numbers, regimes = [row.round.number for row in weights], [regime_name(row) for row in weights]
    title = "How did the weights move with the regime?"
    return river(numbers, [row.weights for row in weights], regimes, title=title)


def wind(state: RegimeState | None) -> list[tuple[str, float]]:
    """(regime, filtered probability) of the newest round."""
    return [] if state is None else list(zip(state.names, state.probabilities, strict=True))


def top_models(tournament: Tournament, weights: Sequence[RoundWeights], at: datetime) -> list[dict[str, Any]]:
    """The models with most weight now: the change since the round before, and how they stood on the board at `at`."""
    if not weights:
        return []
    now, before = weights[-1].weights, weights[-2].weights if len(weights) > 1 else {}
    board = Leaderboard.objects.filter(tournament=tournament, round__resolved_at__lte=at).first()
    standing = {row["model"]: row for row in board.rows} if board else {}
    names = sorted(now, key=lambda name: (-now[name], name))[:SHOWN_MODELS]
    return [
        {
            "name": name, "weight": now[name], "change": 100 * (now[name] - before.get(name, 0.0)),
            "corr": standing.get(name, {}).get("corr"), "best_regime": standing.get(name, {}).get("best_regime"),
        }
        for name in names
    ]  # fmt: skip


def compare(table: Record, leading: str, overlap: int) -> str:
    """Every family's live corr with two standard errors, best first, on the rounds that the leading one has."""
    if leading not in table:
        return ""
    shared = np.isfinite(table[leading])
    found = {
        family: mean_and_error(np.where(shared, series, np.nan), overlap=overlap) for family, series in table.items()
    }
    rows = [
        Interval(
            family,
            result.mean,
            result.standard_error,
            beside(table, leading, family, overlap),
            strong=family == leading,
        )
        for family, result in found.items()
        if result.rounds > 1
    ]
    rows.sort(key=lambda row: (-row.value, row.name))
    return intervals(rows, title="Live corr of each selector with two standard errors", unit="corr")


def beside(table: Record, leading: str, family: str, overlap: int) -> str:
    """`champion +0.0102 ± 0.0041`: the leading family's gain over this one, on the rounds that both have."""
    if family == leading:
        return "the champion"
    gain = paired(table[leading], table[family], overlap=overlap)
    return f"champion {signed(gain.mean)} ± {corr(gain.standard_error)}" if gain.rounds > 1 else ""


def standing_of(table: Record, leading: str, overlap: int) -> dict[str, Difference]:
    """The leading family's corr, and its gain over equal and stake weight on the rounds that both have."""
    if leading not in table:
        return {}
    found = {"corr": mean_and_error(table[leading], overlap=overlap)}
    for rival in ("equal", "stake"):
        if rival in table:
            found[rival] = paired(table[leading], table[rival], overlap=overlap)
    return found


def draw_gain(tournament: Tournament, at: datetime) -> Chart:
    """Summed corr of the meta-model beside equal and stake weight, over the rounds resolved by `at`."""
    known = MetaModel.objects.filter(round__tournament=tournament, corr__isnull=False, round__resolved_at__lte=at)
    found = known.order_by("round__number")
    rows = list(found.values_list("round__number", "corr", "equal_corr", "stake_corr"))
    columns = [f"round {row[0]}" for row in rows]
    curves = [Curve(name, running_sum([row[place] for row in rows]), paint) for name, place, paint in RIVALS]
    title = "What has the choice of weights been worth?"
    return lines(columns, curves, title=title, caption="summed corr", write=two, precise=corr, zero=True)


def running_sum(values: Sequence[float | None]) -> list[float | None]:
    """Sum so far; a missing value adds nothing."""
    total, out = 0.0, []
    for value in values:
        total += value or 0.0
        out.append(total)
    return [*out]


def versions(tournament: Tournament, at: datetime) -> list[tuple[SelectorVersion, bool]]:
    """Those promoted by `at`, the newest first, and whether each led then."""
    found = tournament.selectors.filter(promoted_at__lte=at).defer("report", "config")
    return [(version, version.led_at(at)) for version in found.order_by("-promoted_at")[:SHOWN_VERSIONS]]
