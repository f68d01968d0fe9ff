"""Take in submissions: keep every file, check it, and say everything that is wrong with it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from regatta import artifacts
from regatta.accounts.models import User
from regatta.rounds.models import Round
from regatta.rounds.prices import live_ids
from regatta.submissions.models import ContributedModel, Submission
from tournament.errors import BadInput, Fault
from tournament.predictions import check

PLATFORM_USER = "regatta"


def receive(
    model: ContributedModel, round: Round, data: bytes, *, filename: str, source: str, now: datetime
) -> Submission:
    """Keep a file and check it at once. A late file is kept, checked and marked, but does not count.

    Raises BadInput when the round has not opened, belongs to another tournament, or the limit is reached.
    """
    rules = round.tournament.parsed_rules()
    if round.tournament_id != model.tournament_id:
        raise BadInput(Fault("wrong_tournament", f"{model.name} does not sail in {round.tournament}"))
    if round.status == Round.Status.SCHEDULED:
        raise BadInput(Fault("not_open", f"round {round.number} opens at {round.opens_at:%Y-%m-%d %H:%M} UTC"))
    if Submission.objects.filter(model=model, round=round).count() >= rules.submissions_per_round:
        message = f"{model.name} has sent {rules.submissions_per_round} files to round {round.number}"
        raise BadInput(Fault("too_many", message, "the last accepted one counts"))
    checked = check(data, filename, live_ids(round.live_sha256), max_bytes=rules.max_upload_bytes)
    values = "" if checked.values is None else artifacts.put(checked.values.tobytes())
    return Submission.objects.create(
        model=model, round=round, filename=filename[:120], size=len(data), rows=checked.rows, source=source,
        file_sha256=artifacts.put(data), values_sha256=values, faults=[asdict(fault) for fault in checked.faults],
        status=Submission.Status.ACCEPTED if checked.is_valid else Submission.Status.REJECTED,
        is_late=now >= round.closes_at or round.status != Round.Status.OPEN, received_at=now, validated_at=now,
    )  # fmt: skip


def submit_example(round: Round, now: datetime) -> None:
    """The platform's own benchmark: the plain mean of momentum and low volatility, for bmc and as a yardstick."""
    import io

    import pandas as pd

    from tournament.scoring.ranks import tie_kept_ranks

    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))
    score = live["momentum_12_1"].to_numpy(float) - live["volatility_12"].to_numpy(float)
    frame = pd.DataFrame({"id": live["id"], "prediction": tie_kept_ranks(score[:, None])[:, 0]})
    receive(
        _example_model(round),
        round,
        frame.to_csv(index=False).encode(),
        filename="example.csv",
        source="platform",
        now=now,
    )


def platform_user() -> User:
    """The contributor that the platform's own models belong to."""
    defaults = {"email": "platform@localhost.localdomain"}
    return User.objects.get_or_create(username=PLATFORM_USER, defaults=defaults)[0]


def _example_model(round: Round) -> ContributedModel:
    owner = platform_user()
    model, _ = ContributedModel.objects.get_or_create(
        name=f"example_{round.tournament.slug.replace('-', '_')}",
        defaults={"tournament": round.tournament, "owner": owner, "is_benchmark": True},
    )
    return model
