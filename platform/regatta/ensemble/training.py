"""When selectors are trained, and which of them leads. The training itself runs on queue `gpu` (workers)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from regatta.ensemble.models import RoundWeights, SelectorVersion
from regatta.jobs.flow import enqueue
from regatta.jobs.models import Job
from regatta.rounds.models import Round, Tournament
from tournament.evaluation.compare import Difference, mean_and_error, paired

MIN_LIVE_ROUNDS = 25
"""A family leads only after this many resolved rounds of live weights: its walk-forward record."""


def enqueue_if_due(round: Round, now: datetime) -> Job | None:
    """Ask for a training after the warm-up and every so many resolved rounds after it."""
    rules = round.tournament.parsed_rules()
    resolved = round.tournament.rounds.filter(status="RESOLVED").count()
    if resolved < rules.warmup_rounds or (resolved - rules.warmup_rounds) % rules.retrain_every_rounds:
        return None
    payload = {"tournament": round.tournament.slug, "through": round.number, "now": now.isoformat()}
    key = f"train:{round.tournament.slug}:{round.number}"
    return enqueue("train_selectors", Job.Queue.GPU, payload, now=now, key=key)


def record(tournament: Tournament, now: datetime) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """corr of each family's live blend by round (oldest first) known at `now`; the weights came before the scores.

    A stand-in's few rounds, chosen because they were odd, are no record.
    """
    known = RoundWeights.objects.filter(round__tournament=tournament, round__resolved_at__lte=now, corr__isnull=False)
    rows = known.exclude(answers=True, is_champion=False).values_list("family", "round__number", "corr")
    last = max((number for _, number, _ in rows), default=0)
    table: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
    for family, number, corr in rows:
        table.setdefault(family, np.full(last, np.nan))[number - 1] = corr
    return table


def report(tournament: Tournament, now: datetime) -> dict[str, dict[str, float]]:
    """Mean corr and gain over equal and stake weight of each family, with standard errors, on the rounds both have."""
    table, overlap = record(tournament, now), tournament.parsed_rules().overlap_rounds
    out = {}
    for family, series in table.items():
        entry = _plain("corr", mean_and_error(series, overlap=overlap))
        for rival in ("equal", "stake"):
            if rival in table:
                entry |= _plain(f"over_{rival}", paired(series, table[rival], overlap=overlap))
        out[family] = entry
    return out


def decide(tournament: Tournament, now: datetime) -> SelectorVersion | None:
    """Promote the challenger with the largest gain over the champion, if beyond its standard error.

    The champion's own family passes its title on to its newest version. Returns the champion.
    """
    with transaction.atomic():
        versions = SelectorVersion.objects.select_for_update().filter(tournament=tournament)
        champion = versions.filter(status="CHAMPION").first()
        newest = {version.family: version for version in versions.filter(status="READY").order_by("id")}
        table, overlap = record(tournament, now), tournament.parsed_rules().overlap_rounds
        reigning = "equal" if champion is None else champion.family
        gains = {
            family: gain
            for family in newest
            if family != reigning and family in table and reigning in table
            and (gain := paired(table[family], table[reigning], overlap=overlap)).rounds >= MIN_LIVE_ROUNDS
        }  # fmt: skip
        for family, gain in gains.items():
            SelectorVersion.objects.filter(pk=newest[family].pk).update(gain=gain.mean, gain_se=gain.standard_error)
        best = max(gains, key=lambda family: gains[family].mean, default=None)
        if best is not None and gains[best].is_positive:
            return _crown(newest[best], champion, _reason(gains[best], reigning), now)
        if champion is not None and champion.family in newest:
            return _crown(newest[champion.family], champion, "the champion's family, trained anew", now)
        return champion


def _crown(version: SelectorVersion, before: SelectorVersion | None, reason: str, now: datetime) -> SelectorVersion:
    if before is not None:
        SelectorVersion.objects.filter(pk=before.pk).update(status="RETIRED", retired_at=now)
    SelectorVersion.objects.filter(pk=version.pk).update(status="CHAMPION", promoted_at=now, reason=reason)
    version.refresh_from_db()
    return version


def _reason(gain: Difference, reigning: str) -> str:
    return f"gain over {reigning}: {gain.mean:+.4f} ± {gain.standard_error:.4f} corr in {gain.rounds} live rounds"


def _plain(name: str, value: Difference) -> dict[str, float]:
    return {name: value.mean, f"{name}_se": value.standard_error, f"{name}_rounds": value.rounds}
