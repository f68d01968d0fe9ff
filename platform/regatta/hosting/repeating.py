"""Repeat what ended by the platform's fault, when its owner asks."""

from __future__ import annotations

from datetime import datetime

from regatta.hosting.intake import check_again
from regatta.hosting.models import HostedModel, HostedRun, State
from regatta.hosting.sailing import run_again
from tournament.errors import BadModel, Fault


def try_again(hosted: HostedModel, now: datetime) -> None:
    """Promise a version's check and runs anew. Raises BadModel when there is nothing to repeat."""
    repeated = [check_again(hosted, now)]
    repeated += [run_again(run, now) for run in HostedRun.objects.filter(hosted=hosted, state=State.ERROR)]
    if not any(repeated):
        raise BadModel(Fault("nothing_failed", "there is nothing to repeat", "it is tried again by itself"))
