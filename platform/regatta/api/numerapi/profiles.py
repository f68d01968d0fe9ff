"""Models: what everybody may read of them, and what their owners write."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from django.core.validators import URLValidator
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor, model_named, own_model
from regatta.api.numerapi.contributed import ModelAnswer, model_answers
from regatta.api.numerapi.numbers import SIGNALS, tournament_of
from regatta.api.numerapi.scalars import Untouched
from regatta.api.numerapi.values import moment, points
from regatta.api.slots import open_slot
from regatta.scores.standings import DayStanding, standings_of
from regatta.stakes.overview import stakes_of
from regatta.submissions.models import ContributedModel
from regatta.webhooks.delivering import create, trigger
from regatta.webhooks.models import Webhook

MAX_BIO, MAX_LINK_TEXT = 500, 80


@strawberry.type(name="DailyPerf")
class DailyPerformance:
    """Where the model stood on the board of one day; scores that this site does not have stay empty."""

    date: str | None
    corr_rep: float | None
    corr_rank: int | None
    mmc_rep: float | None
    mmc_rank: int | None
    fnc_rep: float | None
    fnc_rank: int | None
    fnc_v3_rep: float | None = None
    fnc_v3_rank: int | None = None
    tc_rep: float | None = None
    tc_rank: int | None = None
    ic_rep: float | None = None
    ic_rank: int | None = None
    corr20d_rep: float | None = None
    corr20d_rank: int | None = None
    corr60_rep: float | None = None
    corr60_rank: int | None = None
    mmc20d_rep: float | None = None
    mmc20d_rank: int | None = None


@strawberry.type
class Profile:
    """A model's public face."""

    row: strawberry.Private[ContributedModel]
    id: str
    start_date: str | None
    username: str
    bio: str
    link_url: str
    link_text: str

    @strawberry.field
    def nmr_staked(self) -> str | None:
        """Points at stake."""
        return points(stakes_of([self.row])[self.row.pk].points)

    @strawberry.field
    def stake_value(self) -> str | None:
        """The same."""
        return points(stakes_of([self.row])[self.row.pk].points)

    @strawberry.field
    def total_stake(self) -> str | None:
        """The same."""
        return points(stakes_of([self.row])[self.row.pk].points)

    @strawberry.field
    def daily_model_performances(self) -> list[DailyPerformance]:
        """A line for every board since the model first stood on one, newest first."""
        return [_daily(one) for one in standings_of(self.row)]


@strawberry.type
class SignalsProfile(Profile):
    """The same, for the client's Signals."""


def _daily(one: DayStanding) -> DailyPerformance:
    return DailyPerformance(
        date=moment(one.as_of), corr_rep=one.corr, corr_rank=one.corr_rank, mmc_rep=one.mmc, mmc_rank=one.mmc_rank,
        fnc_rep=one.fnc, fnc_rank=one.fnc_rank, corr20d_rep=one.corr, corr20d_rank=one.corr_rank,
        mmc20d_rep=one.mmc, mmc20d_rank=one.mmc_rank,
    )  # fmt: skip


def v3_user_profile(
    snake: Annotated[str | None, strawberry.argument(name="model_name")] = None,
    camel: Annotated[str | None, strawberry.argument(name="modelName")] = None,
    tournament: int | None = None,
) -> Profile:
    """A model by its name. Raises Refusal when the tournament that is named has none of it."""
    return Profile(**_fields(_found(snake or camel, tournament)))


def v2_signals_profile(model_name: str) -> SignalsProfile:
    """A model of Signals by its name."""
    return SignalsProfile(**_fields(_found(model_name, SIGNALS)))


def _fields(model: ContributedModel) -> dict[str, Any]:
    return {
        "row": model, "id": str(model.pk), "start_date": moment(model.created_at), "username": model.name,
        "bio": model.description, "link_url": model.link_url, "link_text": model.link_text,
    }  # fmt: skip


def _found(name: str | None, number: int | None) -> ContributedModel:
    model = model_named(name)
    if number is not None and tournament_of(number).pk != model.tournament_id:
        raise Refusal(404, "no_model", f"model {model.name!r} does not sail in tournament {number}", "ask another API")
    return model


def model(info: Info, model_id: str | None = None) -> ModelAnswer:
    """One of one's own models."""
    return model_answers([own_model(contributor(info, "read"), model_id)])[0]


def create_model(info: Info, name: str, tournament: int) -> ModelAnswer:
    """Open a slot for a model."""
    return model_answers([open_slot(contributor(info, "manage"), tournament_of(tournament), name)])[0]


def set_bio(info: Info, value: str, model_id: str | None = None) -> Untouched:
    """Write what the model says of itself."""
    found = own_model(contributor(info, "manage"), model_id)
    if len(value) > MAX_BIO:
        raise Refusal(422, "bio", f"the bio has {len(value)} letters", f"at most {MAX_BIO}")
    ContributedModel.objects.filter(pk=found.pk).update(description=value)
    return Untouched(True)


def set_link(info: Info, link_url: str, link_text: str | None = None, model_id: str | None = None) -> Untouched:
    """Write where the model's page points to; an empty address removes it. Raises ValidationError."""
    found = own_model(contributor(info, "manage"), model_id)
    if link_url:
        URLValidator(schemes=["http", "https"], message="The link is no http or https address.")(link_url)
    text = (link_text or link_url)[:MAX_LINK_TEXT]
    ContributedModel.objects.filter(pk=found.pk).update(link_url=link_url, link_text=text if link_url else "")
    return Untouched(True)


def set_webhook(info: Info, model_id: str, new_submission_webhook: str | None = None) -> str:
    """The address that is told when a round opens for the model; without one, none is told any more."""
    owner = contributor(info, "manage")
    found = own_model(owner, model_id)
    if new_submission_webhook:
        create(owner, new_submission_webhook, ["round.opened"], model=found)
    else:
        Webhook.objects.filter(model=found, is_active=True).update(is_active=False)
    return "true"


def trigger_webhook(info: Info, model_id: str) -> str:
    """Send the model's webhook a message now; the trigger's id. Raises Refusal when there is none."""
    found = own_model(contributor(info, "manage"), model_id)
    hook = Webhook.objects.filter(model=found, is_active=True).select_related("model").first()
    if hook is None:
        raise Refusal(404, "no_webhook", f"model {found.name!r} has no webhook", "set_submission_webhook() first")
    return str(trigger(hook, timezone.now()).name)


@strawberry.type
class ProfileQuery:
    """What is asked about models."""

    model: ModelAnswer = strawberry.field(resolver=model)
    v2_signals_profile: SignalsProfile = strawberry.field(resolver=v2_signals_profile, name="v2SignalsProfile")

    v3_user_profile: Profile = strawberry.field(resolver=v3_user_profile, name="v3UserProfile")


@strawberry.type
class ProfileMutation:
    """What owners write."""

    create_model: ModelAnswer = strawberry.mutation(resolver=create_model)
    set_user_bio: Untouched = strawberry.mutation(resolver=set_bio)
    set_user_link: Untouched = strawberry.mutation(resolver=set_link)
    set_submission_webhook: str = strawberry.mutation(resolver=set_webhook)
    trigger_model_webhook: str = strawberry.mutation(resolver=trigger_webhook)
