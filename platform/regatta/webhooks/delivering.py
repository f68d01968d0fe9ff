"""Deliveries: promised once, tried with growing pauses, shown to their owner, sent again when asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from regatta.accounts.models import User
from regatta.jobs.flow import enqueue
from regatta.jobs.models import Job
from regatta.jobs.pauses import is_last, next_try
from regatta.submissions.models import ContributedModel
from regatta.webhooks.addresses import parsed
from regatta.webhooks.models import Delivery, Webhook
from regatta.webhooks.sending import headers, in_words, post
from tournament.errors import BadInput, Fault, printable

EVENTS = ("round.opened", "submission.rejected", "round.scored")
TRIGGERED = "model.triggered"
KEPT = timedelta(days=30)
"""How long the log keeps what has found its end."""
MOST = 10
"""Webhooks of one owner, those of single models aside."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one contributor's webhooks are told."""

    owner_id: int
    key: str
    event: str
    models: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


def create(owner: User, url: str, events: Sequence[str], *, model: ContributedModel | None = None) -> Webhook:
    """A webhook; of a model, it takes the place of the one before. Raises BadInput."""
    parsed(url)
    unknown = [event for event in events if event not in EVENTS]
    if unknown or not events:
        found = f"events are {', '.join(map(str, unknown))[:80] or 'none'}"
        raise BadInput(Fault("webhook_events", found, f"choose of {', '.join(EVENTS)}"))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)
        if model is not None:
            Webhook.objects.filter(model=model, is_active=True).update(is_active=False)
        elif Webhook.objects.filter(owner=owner, model=None, is_active=True).count() >= MOST:
            raise BadInput(Fault("too_many", f"you have {MOST} webhooks", "remove one first"))
        return Webhook.objects.create(owner=owner, url=url, events=list(dict.fromkeys(events)), model=model)


def promise(messages: Sequence[Message], now: datetime) -> int:
    """Write a delivery for each webhook that hears of the messages' event, once; how many are new."""
    if not messages:
        return 0
    hooks = Webhook.objects.filter(is_active=True, events__contains=[messages[0].event]).select_related("model")
    by_owner: dict[int, list[Webhook]] = {}
    for hook in hooks.filter(owner__in=[one.owner_id for one in messages]):
        by_owner.setdefault(hook.owner_id, []).append(hook)
    heard = [hook for found in by_owner.values() for hook in found]
    old = Delivery.objects.filter(webhook__in=heard, created_at__lt=now - KEPT)
    old.exclude(state=Delivery.State.WAITING).delete()
    return sum(_promise(hook, one, now) for one in messages for hook in by_owner.get(one.owner_id, ()))


def trigger(hook: Webhook, now: datetime) -> Delivery:
    """Promise a message to a model's webhook because its owner asks for it."""
    name = "" if hook.model is None else hook.model.name
    message = Message(hook.owner_id, f"trigger:{now.timestamp():.3f}", TRIGGERED, (name,))
    _promise(hook, message, now)
    return Delivery.objects.get(webhook=hook, key=message.key)


def _promise(hook: Webhook, message: Message, now: datetime) -> bool:
    if hook.model is not None and hook.model.name not in message.models:
        return False
    delivery = Delivery(webhook=hook, key=message.key, event=message.event, due_at=now, created_at=now)
    told = {"id": str(delivery.name), "event": message.event, "created_at": now.isoformat(), **message.facts}
    told["models"] = list(message.models)
    if hook.model is not None:  # as nodes of numerapi's client read it
        told |= {"models": [hook.model.name], "modelId": str(hook.model.pk), "triggerId": str(delivery.name)}
        told["roundNumber"] = message.facts.get("round")
    delivery.body = json.dumps(told)
    made = Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    saved = Delivery.objects.filter(name=made[0].name).first()
    if saved is None:  # it was promised before
        return False
    _ask(saved, now)
    return True


def _ask(delivery: Delivery, now: datetime) -> None:
    payload = {"delivery": delivery.pk, "attempt": delivery.attempt}
    enqueue("deliver", Job.Queue.IO, payload, now=now, key=f"deliver:{delivery.pk}:{delivery.attempt}")


def deliver(delivery_id: int, attempt: int, now: datetime) -> str:
    """Try a delivery; what came of it. An attempt that was begun before is not begun again."""
    mine = Delivery.objects.filter(pk=delivery_id, state=Delivery.State.WAITING, attempt=attempt)
    if not mine.update(attempt=attempt + 1, tried_at=now, due_at=next_try(attempt, now)):
        return "done before"
    delivery = Delivery.objects.select_related("webhook").get(pk=delivery_id)
    status, told, is_final = _try(delivery, now)
    state = Delivery.State.WAITING
    if status is not None and 200 <= status < 300:
        state = Delivery.State.DELIVERED
    elif is_final or is_last(attempt):
        state = Delivery.State.FAILED
    due_at = delivery.due_at if state == Delivery.State.WAITING else None
    Delivery.objects.filter(pk=delivery_id, attempt=attempt + 1).update(
        state=state, status=status, answer=printable(told)[:500], due_at=due_at
    )
    return state.value


def _try(delivery: Delivery, now: datetime) -> tuple[int | None, str, bool]:
    """Status and beginning of the answer, or why there is none, and whether another try would be in vain."""
    hook, body = delivery.webhook, delivery.body.encode()
    if not hook.is_active:
        return None, "the webhook was removed", True
    head = headers(hook.secret, event=delivery.event, name=str(delivery.name), body=body, now=now)
    try:
        answer = post(parsed(hook.url), body, head)
    except BadInput as refused:
        return None, str(refused), True
    except (OSError, UnicodeError) as error:  # no such name, refused, over time, a bad certificate
        return None, in_words(error), False
    return answer.status, answer.text, answer.status == 410


def sweep(now: datetime) -> int:
    """Ask anew for deliveries whose pause is over; how many."""
    due = list(Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now).order_by("due_at")[:200])
    for delivery in due:
        _ask(delivery, now)
    return len(due)


def replay(delivery: Delivery, now: datetime) -> bool:
    """Send a delivery that has found its end again, with what tries it has left, at least one; False while it waits."""
    ended = Delivery.objects.filter(pk=delivery.pk).exclude(state=Delivery.State.WAITING)
    with transaction.atomic():
        if not ended.update(state=Delivery.State.WAITING, due_at=now):
            return False
        delivery.refresh_from_db()
        _ask(delivery, now)
    return True
