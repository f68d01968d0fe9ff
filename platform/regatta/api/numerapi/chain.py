"""What the client asks of a blockchain: there is none here, and every call says so."""

from __future__ import annotations

from typing import NoReturn

import strawberry

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor


@strawberry.type
class StakeAuth:
    """Never answered."""

    authorization_signer: str | None
    authorization_digest: str | None
    chain_id: str | None
    deadline: str | None
    max_amount: str | None
    model_id: str | None
    nmr_address: str | None
    nonce: str | None
    round_id: str | None
    signature: str | None
    staker: str | None
    staking_address: str | None
    submission_id: str | None
    submission_hash: str | None
    tournament_id: str | None


@strawberry.type
class StakeConfig:
    """Never answered."""

    address: str | None
    authorization_signer: str | None
    nmr_address: str | None
    owner: str | None
    paused: bool | None
    pending_owner: str | None
    service_wallet: str | None


@strawberry.type
class StakeRound:
    """Never answered."""

    close_time: str | None
    merkle_root: str | None
    open_time: str | None
    payout_factor: str | None
    remaining_burn: str | None
    remaining_payout: str | None
    resolve_time: str | None
    resolved: bool | None
    round_id: str | None
    stake_cap: str | None
    stake_threshold: str | None
    state: str | None
    total_payout: str | None
    total_staked: str | None
    tournament_id: str | None


@strawberry.type
class StakeClaim:
    """Never answered."""

    api_model_id: str | None
    burn_amount_wei: str | None
    merkle_root: str | None
    model_id: str | None
    payout_amount_wei: str | None
    proof: list[str | None] | None
    round_id: str | None
    staker: str | None
    submission_id: str | None
    tournament_id: str | None


def refuse(info: Info) -> NoReturn:
    """Say that stakes are points. Raises Refusal, of a wrong key first."""
    contributor(info, "read")
    message = "there is no blockchain here: stakes are points of this site"
    raise Refusal(501, "no_blockchain", message, "use stake_get, stake_increase, stake_decrease and stake_drain")


@strawberry.type
class ChainQuery:
    """Refused, each of them."""

    @strawberry.field(name="v3StakeAuth")
    def v3_stake_auth(self, info: Info, submission_id: strawberry.ID, staker: str, max_amount: str) -> StakeAuth | None:
        """Refused."""
        refuse(info)

    @strawberry.field(name="v3StakeConfig")
    def v3_stake_config(self, info: Info) -> StakeConfig | None:
        """Refused."""
        refuse(info)

    @strawberry.field(name="v3StakeRound")
    def v3_stake_round(self, info: Info, round_id: str) -> StakeRound | None:
        """Refused."""
        refuse(info)

    @strawberry.field(name="v3StakeClaim")
    def v3_stake_claim(self, info: Info, round_id: str, model_id: strawberry.ID, staker: str) -> StakeClaim | None:
        """Refused."""
        refuse(info)
