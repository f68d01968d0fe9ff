"""Models and submissions as their owner sees them; whatever is asked of many models is read in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import strawberry

from regatta.api.exchange import plain_name
from regatta.api.numerapi.numbers import mapped
from regatta.api.numerapi.rounds import RoundAnswer, round_answer
from regatta.api.numerapi.values import moment
from regatta.stakes.overview import Stake, stakes_of
from regatta.submissions.models import ContributedModel, Submission

MOST_SUBMISSIONS = 5000
"""Newest submissions that one answer tells of."""


@dataclass
class Fleet:
    """Models that are told of together, and what is known of all of them."""

    models: Sequence[ContributedModel]

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The client's number of each tournament."""
        return {found.pk: number for number, found in mapped().items()}

    @cached_property
    def stakes(self) -> dict[int, Stake]:
        """Stake by model."""
        return stakes_of(self.models)

    @cached_property
    def submissions(self) -> dict[int, list[Submission]]:
        """Submissions by model, newest first."""
        rows = Submission.objects.filter(model__in=self.models).select_related("round__tournament").order_by("-id")
        heavy = rows.defer("round__context", "round__stakes", "round__panel_models")
        found = defaultdict(list)
        for row in heavy[:MOST_SUBMISSIONS]:
            found[row.model_id].append(row)
        return found

    @cached_property
    def counted(self) -> set[int]:
        """Submissions that count: the last one accepted in time, of each model in each round."""
        accepted = Submission.objects.filter(model__in=self.models, status="ACCEPTED", is_late=False)
        last = accepted.order_by("model_id", "round_id", "-id").distinct("model_id", "round_id")
        return set(last.values_list("pk", flat=True))


@strawberry.type(name="Submission")
class SubmissionAnswer:
    """One submitted file and what became of it."""

    row: strawberry.Private[Submission]
    fleet: strawberry.Private[Fleet]
    id: str
    filename: str
    inserted_at: str | None
    trigger_id: str | None
    status: str
    is_late: bool
    faults: list[str]

    @strawberry.field
    def selected(self) -> bool:
        """Whether this is the one that counts for its round."""
        return self.row.pk in self.fleet.counted

    @strawberry.field
    def round(self) -> RoundAnswer:
        """The round that it was sent to."""
        return round_answer(self.row.round, self.fleet.numbers.get(self.row.round.tournament_id))


@strawberry.type(name="V2Stake")
class StakeState:
    """Whether points are at stake; nothing here is written to a blockchain."""

    status: str
    tx_hash: str | None


@strawberry.type(name="Model")
class ModelAnswer:
    """A contributor's slot."""

    row: strawberry.Private[ContributedModel]
    fleet: strawberry.Private[Fleet]
    id: str
    name: str
    display_name: str

    @strawberry.field
    def tournament(self) -> int | None:
        """The client's number of the tournament; None when it has none."""
        return self.fleet.numbers.get(self.row.tournament_id)

    @strawberry.field
    def submissions(self) -> list[SubmissionAnswer]:
        """Newest first."""
        return [submission_answer(row, self.fleet) for row in self.fleet.submissions[self.row.pk]]

    @strawberry.field(name="v2Stake")
    def v2_stake(self) -> StakeState | None:
        """None without points at stake."""
        return StakeState(status="confirmed", tx_hash=None) if self.fleet.stakes[self.row.pk].points > 0 else None


def model_answers(models: Sequence[ContributedModel]) -> list[ModelAnswer]:
    """Models of one owner."""
    fleet = Fleet(models)
    return [ModelAnswer(row=row, fleet=fleet, id=str(row.pk), name=row.name, display_name=row.name) for row in models]


def submission_answer(row: Submission, fleet: Fleet) -> SubmissionAnswer:
    """A submission of one of the fleet's models."""
    faults = [f"{fault['code']}: {fault['message']}" for fault in row.faults]
    return SubmissionAnswer(
        row=row, fleet=fleet, id=str(row.pk), filename=plain_name(row), inserted_at=moment(row.received_at),
        trigger_id=row.trigger_id or None, status=row.status, is_late=row.is_late, faults=faults,
    )  # fmt: skip
