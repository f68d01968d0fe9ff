"""A site with things of two contributors; those of one hold words that nobody else may ever be told."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from django.core import signing
from django.utils import timezone

from regatta import artifacts
from regatta.access import Access
from regatta.accounts.models import SCOPES, ApiKey, User
from regatta.api.exchange import FETCH_SALT
from regatta.diagnostics.models import Diagnosis
from regatta.ensemble.models import RegimeState, SelectorVersion
from regatta.hosting.models import HostedModel, HostedRun
from regatta.jobs.models import Job
from regatta.notifications.models import Event, Notice
from regatta.orders import planning
from regatta.rounds.models import DatasetFile, Tournament
from regatta.scores.models import Score
from regatta.stakes.ledger import put_at_stake
from regatta.submissions.models import ContributedModel, Submission
from regatta.uploads.models import Upload
from regatta.uploads.steps import Wanted, issue, ticket
from regatta.webhooks.delivering import EVENTS, create
from regatta.webhooks.models import Delivery
from tests.flows import seas

SAILED = 6
OWNER, OTHER, STAFF = "owner_of_kelpie", "owner_of_northwind", "harbourmaster"
SECRET_SCORE = 0.987654321
PREDICTION, POINTS = {"plain": "0.25", "canary": "0.314159265"}, {"plain": "3.5", "canary": "7.654321"}
CANARY = "canary"
"""Every planted word holds it."""


@dataclass(frozen=True, slots=True)
class Own:
    """What one contributor has, by the kind that addresses name."""

    model: str
    pks: dict[str, int]
    public_id: str
    number: int
    """Of the hosted version."""


@dataclass(frozen=True, slots=True)
class Sea:
    """The whole: a tournament, the owner's things and the other's, and what must stay hidden."""

    tournament: Tournament
    owner: Own
    other: Own
    hidden: tuple[str, ...]
    """Of the other: what neither strangers nor the owner nor staff may be told by REST."""
    internal: tuple[str, ...]
    """What staff may be told, and nobody else."""


def plant() -> Sea:
    """Sail some rounds and leave things of everybody."""
    tournament = seas.make(rounds=14)
    seas.sail(tournament, SAILED)
    seas.advance(tournament, tournament.rounds.get(number=SAILED + 1).opens_at)
    for round in tournament.rounds.filter(number__lte=SAILED):
        values = {"names": ["Calm", "Storm"], "probabilities": [0.75, 0.25], "label": 0, "known_at": round.opens_at}
        RegimeState.objects.get_or_create(round=round, defaults=values)
    User.objects.filter(username=OTHER).update(email=f"{CANARY}-mail@example.org")
    User.objects.create_superuser(STAFF, "office@example.org", "tide-and-wind-9")
    _versions(tournament)
    own, other = _things(tournament, OWNER, "plain"), _things(tournament, OTHER, CANARY)
    return Sea(tournament, own, other, _hidden(), _internal())


def _versions(tournament: Tournament) -> None:
    for family, at, reason in (("ridge", tournament.clock_at, "it led"), ("secret", None, f"{CANARY}-challenger")):
        status = "RETIRED" if at else "READY"
        SelectorVersion.objects.create(
            tournament=tournament, family=family, status=status, promoted_at=at, reason=reason, trained_through=1
        )


def _things(tournament: Tournament, username: str, word: str) -> Own:
    """One of everything; texts hold the word."""
    owner = User.objects.get(username=username)
    model = ContributedModel.objects.get(owner=owner)
    sent = _submission(tournament, model, word)
    pks = {"submission": sent.pk, "diagnosis": _diagnosis(model, word).pk}
    hosted = _hosted(model, word)
    run = HostedRun.objects.create(hosted=hosted, round=sent.round, log=f"{word}-run", submission=sent)
    pks["job"] = _job(f"run of hosted {run.pk}", word).pk
    hook = create(owner, f"https://{word}.example.org/hook", EVENTS)
    body = {"body": f'{{"said": "{word}-body"}}', "answer": f"{word}-answer", "state": "DELIVERED"}
    delivery = Delivery.objects.create(webhook=hook, key=f"{word}-key", event="round.opened", **body)
    pks |= {"webhook": hook.pk, "delivery": delivery.pk}
    Notice.objects.create(owner=owner, event=Event.OPENED, key=word, title=f"{word}-title", text=f"{word}-text")
    put_at_stake(model, Decimal(POINTS[word]), key=f"{word}-stake", now=timezone.now())
    pks |= _orders(tournament, owner, word)
    key, _ = ApiKey.issue(owner, f"{word}-script")
    _unreleased(tournament, model)
    return Own(model.name, pks, key.public_id, hosted.number)


def _orders(tournament: Tournament, owner: User, word: str) -> dict[str, int]:
    """An account whose orders are confirmed, so that there are files."""
    account = planning.open_account(tournament, owner, f"{word}-account", 1e6)
    plan = planning.plan_orders(account, owner, now=timezone.now())
    planning.confirm(plan, owner, plan.digest, now=timezone.now())
    return {"paper account": account.pk, "order plan": plan.pk}


def _submission(tournament: Tournament, model: ContributedModel, word: str) -> Submission:
    round = tournament.rounds.get(number=SAILED + 1)
    data = f"id,prediction\n{word},{PREDICTION[word]}\n".encode()
    faults = [{"code": f"{word}_fault", "message": f"{word}-fault", "hint": ""}]
    return Submission.objects.create(
        model=model, round=round, status="REJECTED", filename=f"{word}-file.csv", file_sha256=artifacts.put(data),
        size=len(data), rows=1, faults=faults, received_at=round.opens_at,
    )  # fmt: skip


def _diagnosis(model: ContributedModel, word: str) -> Diagnosis:
    now = timezone.now()
    return Diagnosis.objects.create(
        model=model, filename=f"{word}-diagnosis.csv", file_sha256="0" * 64, status="done", message=f"{word}-message",
        summary={f"{word}_mean": 0.1}, eras=[{"era": f"{word}-era"}], regimes=[{"regime": f"{word}-regime"}],
        created_at=now, updated_at=now,
    )  # fmt: skip


def _hosted(model: ContributedModel, word: str) -> HostedModel:
    return HostedModel.objects.create(
        model=model, number=3, filename=f"{word}-hosted.txt", format="lightgbm", sha256="1" * 64, size=1,
        state="SUCCESS", log=f"{word}-log", about=f"{word}-about", diagnostics={"summary": {word: 1}},
    )  # fmt: skip


def _job(key: str, word: str) -> Job:
    """A job that failed, of which the owner reads the reason and staff the traceback."""
    return Job.objects.create(
        kind="run_hosted", queue="sandbox", key=key, state="FAILED", fault="platform", reason=f"{word}-reason",
        detail=f"{word}-traceback", payload={word: 1}, worker=f"{word}-worker",
        finished_at=timezone.now(),
    )  # fmt: skip


def _unreleased(tournament: Tournament, model: ContributedModel) -> None:
    """A score of the future: of a round that has not been scored as far as the tournament's clock knows."""
    later = tournament.now() + timedelta(days=90)
    Score.objects.create(
        round=tournament.rounds.get(number=SAILED + 1), model=model, as_of=later.date(), day=1, is_final=True,
        corr=SECRET_SCORE, mmc=SECRET_SCORE, known_at=later,
    )  # fmt: skip


def _hidden() -> tuple[str, ...]:
    """Of the other and of the platform: no answer to a key of anybody else's, staff included."""
    keys = ApiKey.objects.filter(owner__username=OTHER)
    hooks = Delivery.objects.get(webhook__owner__username=OTHER).webhook
    user = User.objects.get(username=OTHER)
    private = DatasetFile.objects.filter(is_public=False).values_list("name", flat=True)
    return (
        *(value for key in keys for value in (key.secret_hash, key.public_id)), hooks.secret, hooks.salt,
        user.password, f"{CANARY}-mail", str(SECRET_SCORE), PREDICTION[CANARY], f"{CANARY}-file", f"{CANARY}_fault",
        f"{CANARY}-fault", f"{CANARY}-diagnosis", f"{CANARY}_mean", f"{CANARY}-hosted", f"{CANARY}-log",
        f"{CANARY}-about", f"{CANARY}-run", f"{CANARY}-title", f"{CANARY}-text", f"{CANARY}-body", f"{CANARY}-answer",
        f"{CANARY}.example.org", f"{CANARY}-challenger", POINTS[CANARY], *private,
    )  # fmt: skip


def _internal() -> tuple[str, ...]:
    return (f"{CANARY}-reason", f"{CANARY}-traceback", f"{CANARY}-worker", f'"{CANARY}"')


def samples(sea: Sea, own: Own) -> dict[str, dict[str, Any]]:
    """What stands in an address, by the kind of thing that it names; signed addresses are fresh."""
    here = {"slug": "seas", "number": 3}
    return {
        "": {}, "tournament": here, "round": here, "weighed round": here, "model": {"name": own.model},
        "file": {"slug": "seas", "name": "train.parquet"}, "hosted": {"name": own.model, "number": own.number},
        "docs page": {"page": "api"}, "key": {"public_id": own.public_id},
        "upload": {"signed": ticket(upload_of(own))}, "download": {"signed": download_of(own)},
        "order file": {"pk": own.pks["order plan"], "kind": "csv"},
        **{kind: {"pk": pk} for kind, pk in own.pks.items()},
    }  # fmt: skip


def upload_of(own: Own) -> Upload:
    """A fresh upload that nobody has used."""
    model = ContributedModel.objects.select_related("owner", "tournament").get(name=own.model)
    wanted = Wanted(model.owner, Upload.Purpose.PREDICTIONS, "mine.csv", 1000, model.tournament, model)
    return issue(wanted, timezone.now())


def download_of(own: Own, *, age: timedelta = timedelta(0)) -> str:
    """The signed part of an address of one's own file, given out a while ago."""
    then = timezone.now().timestamp() - age.total_seconds()
    with mock.patch("django.core.signing.time.time", return_value=then):
        return signing.dumps(own.pks["submission"], salt=FETCH_SALT)


def address(pattern: str, access: Access, known: dict[str, dict[str, Any]]) -> str:
    """A pattern with the sample of its kind filled in. Raises KeyError for a kind of which there is no sample."""
    values = known[access.of]
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), pattern)


def token(username: str, scopes: tuple[str, ...] = SCOPES, *, ended: str = "") -> str:
    """A fresh key of somebody; `ended`: expired or revoked."""
    key, secret = ApiKey.issue(User.objects.get(username=username), "test", scopes)
    before = timezone.now() - timedelta(days=1)
    if ended:
        ApiKey.objects.filter(pk=key.pk).update(
            **{"expired": {"expires_at": before}, "revoked": {"revoked_at": before}}[ended]
        )
    return f"{key.public_id}${secret}"


def wrong_token(username: str) -> str:
    """The public part of a real key with a secret that is not its own."""
    return f"{token(username).partition('$')[0]}${secrets.token_urlsafe(32)}"
