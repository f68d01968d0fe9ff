"""When the platform's predictors are trained. The training itself runs on queue `gpu` (workers)."""

from __future__ import annotations

from regatta.jobs.flow import enqueue
from regatta.jobs.models import Job
from regatta.predictors.material import has_material
from regatta.rounds.models import Round


def enqueue_if_due(round: Round) -> Job | None:
    """Ask for a training at the first round's opening and every so many rounds after it; asked again, nothing new."""
    every = int(round.tournament.parsed_rules().predictor_rounds)
    if not every or (round.number - 1) % every or not has_material(round.tournament):
        return None
    slug, now = round.tournament.slug, round.opens_at
    payload = {"tournament": slug, "round": round.number, "now": now.isoformat()}
    return enqueue("train_predictors", Job.Queue.GPU, payload, now=now, key=f"predictors:{slug}:{round.number}")
