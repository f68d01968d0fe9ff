"""Take in submissions: keep every file, check it, and say everything that is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction

from regatta import artifacts
from regatta.accounts.models import User
from regatta.notifications.telling import tell_of_failure
from regatta.rounds.models import Round, Tournament
from regatta.rounds.prices import live_ids
from regatta.submissions.models import EXAMPLE_PREFIX, MAX_NAME, ContributedModel, Submission
from tournament.errors import BadInput, Fault, printable
from tournament.predictions import check, too_large

PLATFORM_USER, PLATFORM_ADDRESS = "regatta", "platform@localhost.localdomain"
"""Both are reserved: nobody can sign up with either."""
SOURCE = "platform"
"""Whence the platform's own submissions come."""


def receive(
    model: ContributedModel, round: Round, data: bytes, *, filename: str, source: str, now: datetime,
    trigger_id: str = "",
) -> Submission:  # fmt: skip
    """Keep a file and check it at once. A late file is kept, checked and marked, but does not count.

    Raises BadInput when the round has not opened or belongs to another tournament, when the file is too large to be
    kept, or when the model has sent enough.
    """
    rules = round.tournament.parsed_rules()
    if round.tournament_id != model.tournament_id:
        raise BadInput(Fault("wrong_tournament", f"model {model.name} does not sail in {round.tournament}"))
    if len(data) > rules.max_upload_bytes:
        raise BadInput(too_large(len(data), rules.max_upload_bytes))
    if round.status == Round.Status.SCHEDULED:
        raise BadInput(Fault("not_open", f"round {round.number} opens at {round.opens_at:%Y-%m-%d %H:%M} UTC"))
    if Submission.objects.filter(model=model, round=round).count() >= rules.submissions_per_round:
        message = f"model {model.name} has sent {rules.submissions_per_round} files to round {round.number}"
        raise BadInput(Fault("too_many", message, "the last accepted one counts"))
    filename = printable(filename)
    checked = check(data, filename, live_ids(round.live_sha256), max_bytes=rules.max_upload_bytes)
    values = "" if checked.values is None else artifacts.put(checked.values.tobytes())
    submission = Submission.objects.create(
        model=model, round=round, filename=filename[:120], size=len(data), rows=checked.rows, source=source,
        file_sha256=artifacts.put(data), values_sha256=values, faults=[asdict(fault) for fault in checked.faults],
        status=Submission.Status.ACCEPTED if checked.is_valid else Submission.Status.REJECTED,
        is_late=now >= round.closes_at or round.status != Round.Status.OPEN, received_at=now, validated_at=now,
        trigger_id=printable(trigger_id)[:80],
    )  # fmt: skip
    tell_of_failure(submission)
    return submission


def submit_example(round: Round, now: datetime) -> None:
    """The platform's own benchmark: the plain mean of momentum and low volatility, for bmc and as a yardstick."""
    import io

    import pandas as pd

    from tournament.scoring.example import example_score
    from tournament.scoring.ranks import tie_kept_ranks

    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))
    score = example_score(live)
    frame = pd.DataFrame({"id": live["id"], "prediction": tie_kept_ranks(score[:, None])[:, 0]})
    receive(
        platform_model(round.tournament, example_name(round.tournament)),
        round,
        frame.to_csv(index=False).encode(),
        filename="example.csv",
        source=SOURCE,
        now=now,
    )


def platform_user() -> User:
    """The contributor that the platform's own models belong to. Raises BadInput when somebody else bears the name."""
    try:
        with transaction.atomic():
            return User.objects.get_or_create(username=PLATFORM_USER, email=PLATFORM_ADDRESS)[0]
    except IntegrityError:
        found = f"an account of the name {PLATFORM_USER!r} is not the platform's"
        raise BadInput(Fault("platform_name", found, "rename it in the admin")) from None


def example_name(tournament: Tournament) -> str:
    """The name of the platform's example in a tournament."""
    return platform_name(EXAMPLE_PREFIX, tournament)


def platform_name(prefix: str, tournament: Tournament) -> str:
    """A name for a model of the platform's; where the slug does not fit whole, the tournament's key tells it apart."""
    slug = tournament.slug.replace("-", "_")
    room = MAX_NAME - len(prefix)
    return prefix + (slug if len(slug) <= room else f"{slug[: room - 8]}_{tournament.pk:07d}"[:room])


def platform_model(tournament: Tournament, name: str, description: str = "") -> ContributedModel:
    """The platform's model of that name; one that is not its own is never taken for it."""
    defaults = {"is_benchmark": True, "description": description, "created_at": tournament.now()}
    return ContributedModel.objects.get_or_create(
        name=name, tournament=tournament, owner=platform_user(), defaults=defaults
    )[0]
