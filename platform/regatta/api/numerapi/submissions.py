"""Submissions: an address to put the file at, its use, and the file back again."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry
from django.utils import timezone

from regatta.accounts.models import User
from regatta.api.envelope import Refusal
from regatta.api.exchange import fetch_address, plain_name, put_address
from regatta.api.numerapi.asking import Info, contributor, own_model
from regatta.api.numerapi.contributed import Fleet, SubmissionAnswer, submission_answer
from regatta.api.numerapi.numbers import SIGNALS
from regatta.api.numerapi.rounds import current_round
from regatta.security import asked_number
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from regatta.uploads.models import Upload
from regatta.uploads.steps import Wanted, issue, use
from tournament.errors import BadInput, Fault

SOURCE = "graphql"


@strawberry.type
class UploadAuth:
    """A file's name on this side, and its signed address."""

    filename: str
    url: str


@strawberry.type
class Created:
    """What was made."""

    id: str
    first_effective_date: str | None = None


def address(info: Info, purpose: Upload.Purpose, filename: str, model: ContributedModel, max_bytes: int) -> UploadAuth:
    """A signed address for one file of the model."""
    wanted = Wanted(model.owner, purpose, filename, max_bytes, model.tournament, model)
    upload = issue(wanted, timezone.now())
    return UploadAuth(filename=upload.filename, url=put_address(info.context.request, upload))


def upload_auth(info: Info, filename: str, tournament: int, model_id: str | None = None) -> UploadAuth:
    """Where to put predictions for the open round. Refuses between rounds: nothing needs to be sent then."""
    model = own_model(contributor(info, "submit"), model_id, tournament)
    current_round(model.tournament)
    return address(info, Upload.Purpose.PREDICTIONS, filename, model, model.tournament.parsed_rules().max_upload_bytes)


def create_submission(
    info: Info,
    filename: str,
    tournament: int,
    model_id: str | None = None,
    trigger_id: str | None = None,
    source: str | None = None,
    data_datestamp: int | None = None,
) -> Created:
    """Check what was put and take it in. Raises BadInput with every fault of the file; the page shows them too."""
    owner = contributor(info, "submit")
    given = Given(filename, source or SOURCE, trigger_id or "")
    submission = take_in(owner, own_model(owner, model_id, tournament), given)
    if submission.status == Submission.Status.REJECTED:
        raise BadInput([_fault(found) for found in submission.faults])
    if submission.is_late:
        closed = f"round {submission.round.number} closed at {submission.round.closes_at:%Y-%m-%d %H:%M} UTC"
        raise Refusal(409, "late", f"{closed}: the file is kept and does not count", "send it before the close")
    return Created(id=str(submission.pk))


def create_signals_submission(
    info: Info,
    filename: str,
    model_id: str | None = None,
    trigger_id: str | None = None,
    source: str | None = None,
    data_datestamp: int | None = None,
) -> Created:
    """The same for Signals; predictions count from the round's close."""
    created = create_submission(info, filename, SIGNALS, model_id, trigger_id, source, data_datestamp)
    closes_at = Submission.objects.values_list("round__closes_at", flat=True).get(pk=created.id)
    return Created(id=created.id, first_effective_date=closes_at.date().isoformat())


@dataclass(frozen=True, slots=True)
class Given:
    """What the client says of a file: its name on this side, who sent it, and the trigger that it answers."""

    filename: str
    source: str
    trigger_id: str


def take_in(owner: User, model: ContributedModel, given: Given) -> Submission:
    """The submission that the uploaded file became, now or before. Raises BadInput."""

    def consume(upload: Upload, data: bytes) -> int:
        return receive(
            model, current_round(model.tournament), data, filename=upload.original, source=given.source[:10],
            now=model.tournament.now(), trigger_id=given.trigger_id,
        ).pk  # fmt: skip

    pk = use(
        given.filename,
        owner=owner,
        purpose=Upload.Purpose.PREDICTIONS,
        model=model,
        now=timezone.now(),
        consume=consume,
    )
    return Submission.objects.select_related("round").get(pk=pk)


def _fault(found: dict[str, object]) -> Fault:
    examples = found.get("examples")
    shown = tuple(map(str, examples)) if isinstance(examples, list) else ()
    return Fault(str(found["code"]), f"{found['code']}: {found['message']}", str(found.get("hint", "")), shown)


def submissions(info: Info, model_id: str | None = None) -> list[SubmissionAnswer]:
    """What one's model has sent, newest first."""
    fleet = Fleet([own_model(contributor(info, "read"), model_id)])
    return [submission_answer(row, fleet) for row in fleet.submissions[fleet.models[0].pk]]


def submission_download_auth(info: Info, id: str | None = None) -> UploadAuth:
    """Where one's own file can be fetched again."""
    own = Submission.objects.filter(model__owner=contributor(info, "read"), pk=asked_number(id or "") or 0)
    found = own.first()
    if found is None:
        raise Refusal(404, "no_submission", f"you have no submission {(id or '')[:40]!r}", "ask submission_ids()")
    return UploadAuth(filename=plain_name(found), url=fetch_address(info.context.request, found))


@strawberry.type
class SubmissionQuery:
    """What is asked about submissions."""

    camel: UploadAuth = strawberry.field(resolver=upload_auth, name="submissionUploadAuth")
    snake: UploadAuth = strawberry.field(resolver=upload_auth, name="submission_upload_auth")
    submission_upload_signals_auth: UploadAuth = strawberry.field(resolver=upload_auth)
    submissions: list[SubmissionAnswer] = strawberry.field(resolver=submissions)
    submission_download_auth: UploadAuth = strawberry.field(resolver=submission_download_auth)


@strawberry.type
class SubmissionMutation:
    """What becomes of uploaded predictions."""

    camel: Created = strawberry.mutation(resolver=create_submission, name="createSubmission")
    snake: Created = strawberry.mutation(resolver=create_submission, name="create_submission")
    signals: Created = strawberry.mutation(resolver=create_signals_submission, name="createSignalsSubmission")
