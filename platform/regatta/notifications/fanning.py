"""Who is told what: notices, mails and deliveries of one event. Run twice, it tells once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse

from regatta.charts.numbers import corr
from regatta.hosting.models import HostedRun
from regatta.notifications.mailing import promise as promise_mail
from regatta.notifications.models import DEFAULTS, Event, Notice, Preference, Way
from regatta.rounds.models import Round
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel, Submission
from regatta.webhooks.delivering import Message, promise


@dataclass(frozen=True, slots=True)
class News:
    """One event as one contributor is told it."""

    owner_id: int
    key: str
    title: str
    text: str
    link: str
    models: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    """What a webhook's body says beside it."""


def tell(event: Event, payload: dict[str, Any], now: datetime) -> dict[str, int]:
    """Write notices and promise mails and deliveries; how many of each were new."""
    if "run" in payload:
        run = HostedRun.objects.select_related("hosted__model", "round__tournament").get(pk=payload["run"])
        news = [_of_failed_run(run)]
    elif "submission" in payload:
        sent = Submission.objects.select_related("model", "round__tournament").get(pk=payload["submission"])
        news = [_of_failure(sent)]
    else:
        round = Round.objects.select_related("tournament").get(pk=payload["round"])
        news = _of_round(round, event)
    with transaction.atomic():
        return _write(event, news, now)


def _write(event: Event, news: Sequence[News], now: datetime) -> dict[str, int]:
    ways = dict(Preference.objects.filter(event=event).values_list("owner_id", "way"))
    told = mailed = 0
    for one in news:
        way = ways.get(one.owner_id, DEFAULTS[event])
        if way == Way.OFF:
            continue
        words = {"event": event, "title": one.title, "text": one.text, "link": one.link, "created_at": now}
        notice, is_new = Notice.objects.get_or_create(owner_id=one.owner_id, key=one.key, defaults=words)
        told += is_new
        if is_new and way == Way.MAIL:
            promise_mail(notice, now)
            mailed += 1
    messages = [Message(one.owner_id, one.key, event.value, one.models, one.facts) for one in news]
    return {"notices": told, "mails": mailed, "deliveries": promise(messages, now)}


def _of_round(round: Round, event: Event) -> list[News]:
    """For each contributor with models in the tournament (that were scored) what to say of a round."""
    models = ContributedModel.objects.filter(tournament=round.tournament, is_benchmark=False, owner__is_active=True)
    corrs: dict[str, float | None] = {}
    if event is Event.SCORED:
        final = Score.objects.filter(round=round, is_final=True)
        corrs = dict(final.values_list("model__name", "corr"))
        models = models.filter(name__in=corrs)
    by_owner: dict[int, list[str]] = {}
    for owner_id, name in models.order_by("name").values_list("owner_id", "name"):
        by_owner.setdefault(owner_id, []).append(name)
    say = _scored if event is Event.SCORED else _opened
    return [say(round, owner_id, tuple(names), corrs) for owner_id, names in by_owner.items()]


def _opened(round: Round, owner_id: int, names: tuple[str, ...], corrs: dict[str, float | None]) -> News:
    closes = f"It closes at {round.closes_at:%Y-%m-%d %H:%M} UTC."
    facts = _facts(round) | {"closes_at": round.closes_at.isoformat(), "live_file": f"live_{round.number:05d}.parquet"}
    title = f"Round {round.number} of {round.tournament} is open"
    return News(owner_id, f"opened:{round.pk}", title, closes, _link(round), names, facts)


def _scored(round: Round, owner_id: int, names: tuple[str, ...], corrs: dict[str, float | None]) -> News:
    lines = [f"{name}: corr {corr(corrs[name])}" for name in names]
    title = f"Scores of round {round.number} of {round.tournament} are in"
    facts = _facts(round) | {"scores": {name: {"corr": corrs[name]} for name in names}}
    return News(owner_id, f"scored:{round.pk}", title, "\n".join(lines), _link(round), names, facts)


def _of_failure(submission: Submission) -> News:
    round, model = submission.round, submission.model
    facts = _facts(round) | {"submission": submission.pk, "faults": submission.faults}
    title = f"Your file for {model.name} in round {round.number} was refused"
    link, key = reverse("submission", args=[submission.pk]), f"rejected:{round.pk}:{model.pk}"
    return News(model.owner_id, key, title, _lines(submission.faults), link, (model.name,), facts)


def _of_failed_run(run: HostedRun) -> News:
    round, model = run.round, run.hosted.model
    facts = _facts(round) | {"hosted_version": run.hosted.number, "faults": run.faults}
    title = f"Your hosted model {model.name} failed in round {round.number}"
    link = reverse("hosted_version", args=[model.name, run.hosted.number])
    return News(model.owner_id, f"run:{run.pk}", title, _lines(run.faults), link, (model.name,), facts)


def _lines(faults: Sequence[dict[str, Any]]) -> str:
    """Each fault on a line of its own, as sentences."""
    said = ((fault["message"], fault.get("hint", "")) for fault in faults)
    return "\n".join(" ".join(f"{words[:1].upper()}{words[1:]}." for words in pair if words) for pair in said)


def _facts(round: Round) -> dict[str, Any]:
    return {"tournament": round.tournament.slug, "round": round.number}


def _link(round: Round) -> str:
    return f"{reverse('round', args=[round.number])}?tournament={round.tournament.slug}"
