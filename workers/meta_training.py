"""Train every family on what was known at a time, and let the best lead."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from regatta import artifacts
from regatta.ensemble.history import history
from regatta.ensemble.models import SelectorVersion
from regatta.ensemble.training import decide, report
from regatta.rounds.models import Tournament
from tournament.selectors.protocol import Budget, History
from tournament.selectors.registry import served
from workers.devices import choose_device
from workers.distributed import meta_train
from workers.progress import KeptProgress, forget_before

SEED = 1


def train_selectors(payload: dict[str, Any]) -> dict[str, Any]:
    """Meta-train each family on the rounds resolved by `now`; run twice, it makes the same rows once."""
    tournament = Tournament.objects.get(slug=payload["tournament"])
    now = datetime.fromisoformat(payload["now"])
    known = history(tournament, now)
    results = report(tournament, now)
    forget_before(tournament, payload["through"])
    for family in served(len(known.models)):
        _train(tournament, family, known, results, through=payload["through"], now=now)
    champion = decide(tournament, now)
    return {"champion": "" if champion is None else champion.family, "rounds": len(known.resolved())}


def _train(
    tournament: Tournament, family: str, known: History, results: dict[str, Any], *, through: int, now: datetime
) -> None:
    """One family's new version, unless an earlier attempt has made it; one that was cut off is gone on with."""
    if SelectorVersion.objects.filter(tournament=tournament, family=family, trained_through=through).exists():
        return
    start, data = time.perf_counter(), known.mark()
    device = choose_device(settings.REGATTA_DEVICE)
    kept = KeptProgress(tournament, family, through, data)
    budget = Budget(seed=SEED, seconds=tournament.parsed_rules().training_seconds, progress=kept)
    state = replace(meta_train(family, known, budget, device=device), data=data)
    about = {"seed": SEED, "device": device, "seconds": round(time.perf_counter() - start, 2), "resumed": kept.resumed}
    with transaction.atomic():
        SelectorVersion.objects.get_or_create(
            tournament=tournament, family=family, trained_through=through,
            defaults={
                "status": SelectorVersion.Status.READY, "config": state.config | about | {"data": data},
                "state_sha256": artifacts.put(state.to_bytes()), "report": results.get(family, {}), "created_at": now,
            },
        )  # fmt: skip
        kept.forget()
