"""Leaderboards: the newest stored board, in the form that each API of the client asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import strawberry
from django.db.models import Avg, StdDev

from regatta.api.numerapi.asking import page
from regatta.api.numerapi.numbers import CLASSIC, CRYPTO, SIGNALS, tournament_of
from regatta.api.numerapi.scalars import Untouched
from regatta.api.numerapi.values import points
from regatta.rounds.models import Tournament
from regatta.scores.models import Leaderboard, Score
from regatta.stakes.ledger import stakes
from regatta.stakes.overview import won_since
from regatta.submissions.models import ContributedModel

DAY, QUARTER, YEAR = timedelta(days=1), timedelta(weeks=13), timedelta(weeks=52)
EVER: timedelta | None = None
ZERO = Decimal(0)


@strawberry.type
class ClassicRow:
    """A model on the board of Classic; scores that this site does not have stay empty."""

    nmr_staked: str | None
    rank: int
    username: str
    corr20_rep: float | None
    corr20_v2_rep: float | None
    mmc_rep: float | None
    bmc_rep: float | None
    fnc_rep: float | None
    return_1_day: float | None = strawberry.field(name="return_1_day")
    return_13_weeks: float | None = strawberry.field(name="return_13_weeks")
    return_52_weeks: float | None = strawberry.field(name="return_52_weeks")
    corj60_rep: float | None = None
    fnc_v3_rep: float | None = None
    tc_rep: float | None = None
    team: bool = False


@strawberry.type
class SignalsRow:
    """A model on the board of Signals."""

    prev_rank: int | None
    rank: int
    sharpe: float | None
    today: float | None
    username: str
    mmc: float | None
    mmc_rank: int | None
    nmr_staked: Untouched | None
    ic_rank: int | None = None
    ic_rep: float | None = None
    tc_rep: float | None = None
    tc_rank: int | None = None


@strawberry.type
class CryptoRow:
    """A model on the board of Crypto."""

    nmr_staked: str | None
    rank: int
    username: str
    corr_rep: float | None
    mmc_rep: float | None
    return_1_day: float | None = strawberry.field(name="return_1_day")
    return_13_weeks: float | None = strawberry.field(name="return_13_weeks")
    return_52_weeks: float | None = strawberry.field(name="return_52_weeks")


@strawberry.type
class AccountRow:
    """A contributor: the mean of their models' scores, the sum of their points."""

    display_name: str
    username: str
    rank: int
    nmr_staked: str | None
    v2_corr20: float | None
    mmc: float | None
    return1y: float | None
    return3m: float | None
    return_all_time: float | None
    return1y_nmr: str | None
    return3m_nmr: str | None
    return_all_time_nmr: str | None
    cort20: float | None = None
    cor_j60: float | None = None
    corr_v4: float | None = None
    fnc_v4: float | None = None
    ic_v2: float | None = None
    ric: float | None = None


@dataclass
class Board:
    """The newest board of a tournament with the points behind it, each read once and only when asked for."""

    tournament: Tournament
    won: dict[timedelta | None, dict[int, Decimal]] = field(default_factory=dict)

    @cached_property
    def stored(self) -> Leaderboard | None:
        """None before the first round resolves."""
        return Leaderboard.objects.filter(tournament=self.tournament).first()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Lines by rank."""
        return self.stored.rows if self.stored else []

    @cached_property
    def stakes(self) -> dict[str, Decimal]:
        """Points at stake by model name."""
        return stakes(self.tournament.pk)

    @cached_property
    def keys(self) -> dict[str, int]:
        """Key by model name."""
        return dict(ContributedModel.objects.filter(tournament=self.tournament).values_list("name", "pk"))

    def won_by(self, names: Sequence[str], within: timedelta | None) -> Decimal:
        """Points that the models' rounds paid within that time of the tournament's present."""
        if within not in self.won:
            since = None if within is None else self.tournament.now() - within
            self.won[within] = won_since(self.tournament.pk, since)
        return sum((self.won[within].get(self.keys.get(name, 0), ZERO) for name in names), ZERO)

    def staked(self, names: Sequence[str]) -> Decimal:
        """Points that the models have at stake."""
        return sum((self.stakes.get(name, ZERO) for name in names), ZERO)

    def gain(self, names: Sequence[str], within: timedelta | None) -> float | None:
        """Points won within that time, as a fraction of the stake without them; None without a stake."""
        won = self.won_by(names, within)
        put_in = self.staked(names) - won
        return float(won / put_in) if put_in > 0 else None

    def places(self, score: str) -> dict[str, int]:
        """Rank by another score than the board's own."""
        known = sorted((row for row in self.rows if row[score] is not None), key=lambda row: -row[score])
        return {row["model"]: place for place, row in enumerate(known, start=1)}


def classic(limit: int, offset: int) -> list[ClassicRow]:
    """The board of Classic."""
    board = Board(tournament_of(CLASSIC))
    return [
        ClassicRow(
            nmr_staked=points(board.staked([row["model"]])), rank=row["rank"], username=row["model"],
            corr20_rep=row["corr"], corr20_v2_rep=row["corr"], mmc_rep=row["mmc"], bmc_rep=row["bmc"],
            fnc_rep=row["fnc"], return_1_day=board.gain([row["model"]], DAY),
            return_13_weeks=board.gain([row["model"]], QUARTER), return_52_weeks=board.gain([row["model"]], YEAR),
        )
        for row in board.rows[page(limit, offset)]
    ]  # fmt: skip


def crypto(limit: int, offset: int) -> list[CryptoRow]:
    """The board of Crypto."""
    board = Board(tournament_of(CRYPTO))
    return [
        CryptoRow(
            nmr_staked=points(board.staked([row["model"]])), rank=row["rank"], username=row["model"],
            corr_rep=row["corr"], mmc_rep=row["mmc"], return_1_day=board.gain([row["model"]], DAY),
            return_13_weeks=board.gain([row["model"]], QUARTER), return_52_weeks=board.gain([row["model"]], YEAR),
        )
        for row in board.rows[page(limit, offset)]
    ]  # fmt: skip


def signals(limit: int, offset: int) -> list[SignalsRow]:
    """The board of Signals; `today` is the corr of the round that resolved last."""
    board = Board(tournament_of(SIGNALS))
    mmc_rank, ratios, newest = board.places("mmc"), _sharpes(board.tournament), _newest_corr(board.stored)
    return [
        SignalsRow(
            prev_rank=None if row["rank_change"] is None else row["rank"] + row["rank_change"], rank=row["rank"],
            sharpe=ratios.get(row["model"]), today=newest.get(row["model"]), username=row["model"], mmc=row["mmc"],
            mmc_rank=mmc_rank.get(row["model"]), nmr_staked=Untouched(float(board.staked([row["model"]]))),
        )
        for row in board.rows[page(limit, offset)]
    ]  # fmt: skip


def _sharpes(tournament: Tournament) -> dict[str, float]:
    """Mean over standard deviation of each model's final corr per round."""
    final = Score.objects.filter(
        round__tournament=tournament, is_final=True, is_experimental=False, known_at__lte=tournament.now()
    )
    rows = final.order_by().values_list("model__name").annotate(Avg("corr"), StdDev("corr", sample=True))
    return {name: mean / spread for name, mean, spread in rows if mean is not None and spread}


def _newest_corr(board: Leaderboard | None) -> dict[str, float | None]:
    if board is None:
        return {}
    return dict(
        Score.objects.filter(round=board.round_id, is_final=True, is_experimental=False).values_list(
            "model__name", "corr"
        )
    )


def accounts(limit: int, offset: int, tournament: int | None = None) -> list[AccountRow]:
    """Contributors by the mean corr of their models; the platform's own benchmarks are left out."""
    board = Board(tournament_of(tournament))
    fleets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in board.rows:
        if not row["is_benchmark"]:
            fleets[row["owner"]].append(row)
    ordered = sorted(fleets.items(), key=lambda item: (-(_mean(item[1], "corr") or 0.0), item[0]))
    ranked = list(enumerate(ordered, start=1))[page(limit, offset)]
    return [_account(board, owner, rows, rank) for rank, (owner, rows) in ranked]


def _account(board: Board, owner: str, rows: list[dict[str, Any]], rank: int) -> AccountRow:
    names = [row["model"] for row in rows]
    won: Callable[[timedelta | None], str | None] = lambda within: points(board.won_by(names, within))  # noqa: E731
    return AccountRow(
        display_name=owner, username=owner, rank=rank, nmr_staked=points(board.staked(names)),
        v2_corr20=_mean(rows, "corr"), mmc=_mean(rows, "mmc"), return1y=board.gain(names, YEAR),
        return3m=board.gain(names, QUARTER), return_all_time=board.gain(names, EVER), return1y_nmr=won(YEAR),
        return3m_nmr=won(QUARTER), return_all_time_nmr=won(EVER),
    )  # fmt: skip


def _mean(rows: list[dict[str, Any]], score: str) -> float | None:
    known = [row[score] for row in rows if row[score] is not None]
    return sum(known) / len(known) if known else None


@strawberry.type
class BoardQuery:
    """What is asked about boards."""

    v2_leaderboard: list[ClassicRow] = strawberry.field(resolver=classic, name="v2Leaderboard")
    signals_leaderboard: list[SignalsRow] = strawberry.field(resolver=signals)
    cryptosignals_leaderboard: list[CryptoRow] = strawberry.field(resolver=crypto)
    account_leaderboard: list[AccountRow] = strawberry.field(resolver=accounts)
