"""Which function does jobs of which kind. A handler takes the job's payload; called twice, it has its effect once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any]], dict[str, Any] | None]
HANDLERS: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function below as the handler of `kind`."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


@handles("canary")
def keep_canary(payload: dict[str, Any]) -> dict[str, Any]:
    """Store and read back a small file: shows on the status page that queue, worker and storage work together."""
    from regatta import artifacts

    name = artifacts.put(str(payload.get("text", "")).encode())
    return {"sha256": name, "text": artifacts.get(name).decode()}


@handles("train_selectors")
def train_selectors(payload: dict[str, Any]) -> dict[str, Any]:
    """Meta-train every family of selectors; torch is loaded only by the worker that does it."""
    from workers import meta_training

    return meta_training.train_selectors(payload)


@handles("train_predictors")
def train_predictors(payload: dict[str, Any]) -> dict[str, Any]:
    """Train the platform's own predictors on the eras whose targets are known."""
    from workers import predictor_training

    return predictor_training.train_predictors(payload)


@handles("diagnose")
def diagnose(payload: dict[str, Any]) -> dict[str, Any]:
    """Score an uploaded file of predictions over validation eras."""
    from django.utils import timezone

    from regatta.diagnostics.figuring import make

    made = make(payload["diagnosis"], timezone.now())
    return {"status": made.status, "eras": len(made.eras)}


@handles("check_hosted")
def check_hosted(payload: dict[str, Any]) -> dict[str, Any]:
    """Check a contributed model file in the sandbox."""
    from workers import hosting

    return hosting.check_hosted(payload)


@handles("run_hosted")
def run_hosted(payload: dict[str, Any]) -> dict[str, Any]:
    """Let a hosted model answer a round, in the sandbox."""
    from workers import hosting

    return hosting.run_hosted(payload)


@handles("notify")
def notify(payload: dict[str, Any]) -> dict[str, Any]:
    """Tell of an event those who asked for it."""
    from django.utils import timezone

    from regatta.notifications.fanning import tell
    from regatta.notifications.models import Event

    return dict(tell(Event(payload["event"]), payload, timezone.now()))


@handles("send_mail")
def send_mail(payload: dict[str, Any]) -> dict[str, Any]:
    """Try to mail one notice; its next try is the sweep's to ask for."""
    from django.utils import timezone

    from regatta.notifications.mailing import send

    return {"came": send(payload["mail"], payload["attempt"], timezone.now())}


@handles("deliver")
def deliver(payload: dict[str, Any]) -> dict[str, Any]:
    """Try one delivery to a webhook; its next try is the sweep's to ask for."""
    from django.utils import timezone

    from regatta.webhooks.delivering import deliver as deliver_once

    return {"came": deliver_once(payload["delivery"], payload["attempt"], timezone.now())}


@handles("take_step")
def take_step(payload: dict[str, Any]) -> dict[str, Any]:
    """Open, close or score one round, as asked by hand."""
    from regatta.rounds.models import Round
    from regatta.rounds.schedule import take

    rounds = Round.objects.select_related("tournament").filter(tournament__slug=payload["tournament"])
    round = rounds.get(number=payload["round"])
    take(round, payload["step"], round.tournament.now())
    round.refresh_from_db()
    return {"status": round.status}


@handles("advance")
def advance(payload: dict[str, Any]) -> dict[str, Any]:
    """Do all that is due in one tournament, as asked by hand; a replay with nothing due moves on to what is next."""
    from regatta.rounds.due import next_due, next_event
    from regatta.rounds.models import Tournament
    from regatta.rounds.schedule import tick

    tournament = Tournament.objects.get(slug=payload["tournament"])
    if tournament.clock_at is not None and next_due(tournament, tournament.clock_at) is None:
        moved = Tournament.objects.filter(pk=tournament.pk, clock_at=tournament.clock_at)
        moved.update(clock_at=next_event(tournament) or tournament.clock_at)
        tournament.refresh_from_db()
    return {"steps": tick(tournament, tournament.now())}
