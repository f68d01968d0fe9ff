"""Who answered a round and why, and whether selectors keep what their records promised, as pages tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regatta.charts.numbers import plain
from regatta.ensemble.models import RoundWeights, Watch
from regatta.rounds.models import Tournament
from tournament.evaluation.monitors import LIMIT

SEEN = {"fitted": "rounds it was fitted on", "held out": "rounds held out in training"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A stand-in's answer: for whom it stands in, why, and whose blends it is made of."""

    number: int
    leader: str
    reason: str
    members: tuple[tuple[str, float], ...]
    """(family, share), the largest first."""


def standing_in(row: RoundWeights | None) -> Standing | None:
    """Who stands in for the champion in a round; None where the champion answers itself."""
    if row is None or row.is_champion or not row.reason:
        return None
    leader = row.round.weights.filter(is_champion=True).values_list("family", flat=True).first()
    shares = row.explanation.get("members", {})
    members = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return Standing(row.round.number, leader or "", row.reason, tuple(members))


def newest_watch(tournament: Tournament, at: datetime) -> Watch | None:
    """What the monitors read last, by a time."""
    return Watch.objects.filter(round__tournament=tournament, known_at__lte=at).order_by("-round__number").first()


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether the champion keeps what its record promised."""

    watch: Watch
    said: str
    share: float
    """Of the limit that its summed falls have used up, from 0 to 1."""


def kept(watch: Watch | None) -> Kept | None:
    """The champion's drift in words; None before there is an expectation."""
    if watch is None or watch.fall is None:
        return None
    said = f"summed falls {plain(watch.fall, 1)} of {plain(LIMIT, 0)} allowed"
    return Kept(watch, said, min(1.0, watch.fall / LIMIT))


def gaps(watch: Watch | None) -> list[dict[str, Any]]:
    """A row for each trained version in use and kind of rounds: what it showed in training, and live."""
    rows = []
    for gap in [] if watch is None else watch.gaps:
        live = gap["live"]
        for kind, one in sorted(gap["shown"].items()):
            rows.append(
                {
                    "family": gap["family"], "kind": SEEN[kind], "shown": one["mean"], "shown_error": one["error"],
                    "live": live["mean"], "live_error": live["error"], "rounds": live["rounds"],
                    "through": gap["trained_through"], "is_overfitted": kind in gap["overfitted"],
                }
            )  # fmt: skip
    return rows
