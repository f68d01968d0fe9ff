"""What the monitors read after each resolution, from rows that are there already.

The arithmetic is in tournament/evaluation/monitors.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Q

from regatta.ensemble.models import RoundWeights, SelectorVersion, Watch
from regatta.rounds.models import Round, Tournament
from tournament.evaluation.compare import Difference, mean_and_error, paired
from tournament.evaluation.monitors import Gap, drift
from tournament.selectors.protocol import Floats

NEWEST_ROUNDS = 520
"""Ten years of weeks."""
Corrs = Mapping[str, Mapping[int, float]]
"""corr of each family's blend by round."""


def watch_round(round: Round, now: datetime) -> None:
    """Write what is known of drift and gaps with this resolution, once."""
    tournament, overlap = round.tournament, round.tournament.parsed_rules().overlap_rounds
    versions = _versions(tournament, now)
    reigns = sorted((one for one in versions if one.promoted_at and one.promoted_at <= now), key=_promoted)
    champion = next((version for version in reigns if version.led_at(now)), None)
    newest = {version.family: version for version in versions if "shown" in version.config}
    watched = {*newest, *(() if champion is None else (champion.family,))}
    corrs = corrs_of(tournament, {"equal", *watched}, now) if watched else {}
    first = {moment: first_round(tournament, moment) for moment in {version.created_at for version in newest.values()}}
    gaps = [_gap(version, corrs, first[version.created_at], overlap) for version in newest.values()]
    read: dict[str, Any] = {"known_at": now, "gaps": gaps}
    if champion is not None:
        read |= _drift(tournament, champion.family, reign_of(champion, reigns), corrs[champion.family], overlap)
    Watch.objects.bulk_create([Watch(round=round, **read)], ignore_conflicts=True)


def _versions(tournament: Tournament, now: datetime) -> list[SelectorVersion]:
    """Those known by `now` that have led or can tell what they showed in training, oldest first."""
    telling = Q(promoted_at__lte=now) | Q(config__has_key="shown")
    return list(tournament.selectors.filter(telling, created_at__lte=now).order_by("id").defer("report"))


def _promoted(version: SelectorVersion) -> datetime:
    if version.promoted_at is None:
        raise ValueError(f"{version} has never led")
    return version.promoted_at


def corrs_of(tournament: Tournament, families: set[str], now: datetime) -> Corrs:
    """corr of the blends of some families in the newest rounds resolved by `now`."""
    known = RoundWeights.objects.filter(
        round__tournament=tournament, round__resolved_at__lte=now, corr__isnull=False, family__in=families
    ).order_by("-round__number")
    found: dict[str, dict[int, float]] = {family: {} for family in families}
    for family, number, corr in known.values_list("family", "round__number", "corr")[: NEWEST_ROUNDS * len(families)]:
        found[family][number] = float(corr or 0.0)
    return found


def first_round(tournament: Tournament, moment: datetime | None) -> int | None:
    """Number of the first round that opened at the moment or after it: the first that it could bear on."""
    if moment is None:
        return None
    opened = tournament.rounds.filter(opens_at__gte=moment).order_by("number")
    return opened.values_list("number", flat=True).first()


def reign_of(champion: SelectorVersion, reigns: list[SelectorVersion]) -> datetime | None:
    """When the champion's family took the lead; it may have passed its title on to newer versions since."""
    since = champion.promoted_at
    for version in reversed(reigns):
        if version.family != champion.family:
            break
        since = version.promoted_at
    return since


def _drift(
    tournament: Tournament, family: str, since: datetime | None, corrs: Mapping[int, float], overlap: int
) -> dict[str, Any]:  # fmt: skip
    """The champion's columns of a watch."""
    first = first_round(tournament, since)
    known = tournament.rounds.filter(resolved_at__lte=since).order_by("-number").values_list("number", flat=True)
    live_R = _series(corrs, since=first)
    found = drift(_series(corrs, since=1, until=known.first() or 0), live_R, overlap=overlap)
    told = {"family": family, "since": first, "rounds": len(live_R)}
    if found is None:
        return told
    return told | {
        "expected": found.expected.mean, "expected_se": found.expected.standard_error, "live": float(live_R.mean()),
        "live_se": _finite(found.live.standard_error), "fall": found.fall, "has_drifted": found.has_drifted,
    }  # fmt: skip


def _series(by_round: Mapping[int, float], *, since: int | None, until: int | None = None) -> Floats:
    """corr in the order of the rounds; none where the first round is not known."""
    if since is None:
        return np.zeros(0)
    chosen = [number for number in sorted(by_round) if number >= since and (until is None or number <= until)]
    return np.array([by_round[number] for number in chosen])


def _gap(version: SelectorVersion, corrs: Corrs, since: int | None, overlap: int) -> dict[str, Any]:
    """What a version showed in training, and its gain over equal weight in the rounds that it has weighed since."""
    ours_by_round, equal_by_round = corrs[version.family], corrs["equal"]
    both = [number for number in sorted(ours_by_round) if number in equal_by_round and since and number >= since]
    ours, equal = (np.array([kept[number] for number in both]) for kept in (ours_by_round, equal_by_round))
    live = paired(ours, equal, overlap=overlap) if both else mean_and_error(np.zeros(0), overlap=overlap)
    kinds = {kind: one for kind, one in version.config["shown"].items() if one["mean"] is not None}
    gaps = {kind: Gap(Difference(one["mean"], one["error"], one["rounds"]), live) for kind, one in kinds.items()}
    return {
        "family": version.family, "trained_through": version.trained_through, "shown": kinds,
        "live": {"mean": _finite(live.mean), "error": _finite(live.standard_error), "rounds": live.rounds},
        "overfitted": [kind for kind, gap in gaps.items() if gap.is_overfitted],
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
