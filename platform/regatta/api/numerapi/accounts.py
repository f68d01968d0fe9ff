"""The account of whoever holds the key, and the public models of others."""

from __future__ import annotations

import strawberry
from django.utils import timezone

from regatta.accounts.models import User
from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor
from regatta.api.numerapi.contributed import ModelAnswer, model_answers
from regatta.api.numerapi.numbers import mapped, tournament_of
from regatta.api.numerapi.values import moment, points
from regatta.stakes.overview import free_points, transactions
from regatta.submissions.models import ContributedModel


@strawberry.type
class ApiToken:
    """A key, without its secret."""

    name: str
    public_id: str = strawberry.field(name="public_id")
    scopes: list[str]


@strawberry.type(name="Txn")
class Transaction:
    """Points that went into the wallet or out of it."""

    amount: str | None
    from_: str = strawberry.field(name="from")
    to: str
    status: str
    time: str | None
    tournament: int | None
    tx_hash: str | None
    type: str


@strawberry.type
class Account:
    """One's own account."""

    owner: strawberry.Private[User]
    id: str
    username: str
    email: str
    status: str
    inserted_at: str | None
    mfa_enabled: bool = False
    wallet_address: str | None = None

    @strawberry.field
    def available_nmr(self) -> str | None:
        """Free points."""
        return points(free_points(self.owner.pk))

    @strawberry.field
    def models(self) -> list[ModelAnswer]:
        """All of one's models, in every tournament."""
        return model_answers(list(ContributedModel.objects.filter(owner=self.owner).select_related("tournament")))

    @strawberry.field
    def api_tokens(self) -> list[ApiToken]:
        """Keys that can be used."""
        keys = self.owner.api_keys.usable(timezone.now())
        return [ApiToken(name=key.name, public_id=key.public_id, scopes=list(key.scopes)) for key in keys]

    @strawberry.field
    def wallet_txns(self) -> list[Transaction]:
        """Movements of free points, newest first."""
        numbers = {found.pk: number for number, found in mapped().items()}
        return [
            Transaction(
                amount=points(abs(one.amount)), from_=one.giver, to=one.taker, status="confirmed", time=moment(one.at),
                tournament=numbers.get(one.tournament_id or 0), tx_hash=None, type=one.kind,
            )
            for one in transactions(self.owner.pk)
        ]  # fmt: skip


@strawberry.type
class PublicModel:
    """What everybody may know of a model."""

    id: str
    name: str
    display_name: str


@strawberry.type
class AccountProfile:
    """What everybody may know of an account."""

    username: str
    models: list[PublicModel]


def account(info: Info) -> Account:
    """The account of the key's owner."""
    owner = contributor(info, "read")
    status = "active" if owner.is_active else "closed"
    return Account(
        owner=owner, id=str(owner.pk), username=owner.username, email=owner.email, status=status,
        inserted_at=moment(owner.date_joined),
    )  # fmt: skip


def account_profile(username: str, tournament: int | None = None) -> AccountProfile:
    """Somebody's models in a tournament."""
    owner = User.objects.filter(username__iexact=username).first()
    if owner is None:
        raise Refusal(404, "no_account", f"there is no account {username[:60]!r}", "ask a leaderboard for names")
    models = ContributedModel.objects.filter(owner=owner, tournament=tournament_of(tournament))
    shown = [PublicModel(id=str(row.pk), name=row.name, display_name=row.name) for row in models]
    return AccountProfile(username=owner.username, models=shown)


@strawberry.type
class AccountQuery:
    """What is asked about accounts."""

    account: Account = strawberry.field(resolver=account)
    account_profile: AccountProfile = strawberry.field(resolver=account_profile)
