"""A round's life: opened, submitted to, sealed, weighed, scored and paid; each step once, whoever asks how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.db.models import Sum
from django.test import Client

from regatta import artifacts
from regatta.ensemble.models import MetaModel, RoundWeights, SelectorVersion
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.notifications.models import Event, Preference, Way
from regatta.portfolios.models import NavPoint, Rebalance
from regatta.rounds.models import Dataset, DatasetFile, Round, Tournament
from regatta.rounds.operations import ask_advance, ask_step
from regatta.rounds.prices import CLOSE_HOUR_UTC, PRICES, known_prices, pack, row_after
from regatta.rounds.schedule import tick
from regatta.rounds.sealing import read_panel
from regatta.scores.models import Leaderboard, Score
from regatta.stakes.ledger import balance, locked, put_at_stake, stake_of, take_from_stake, treasury, wallet
from regatta.stakes.models import Entry
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas
from tournament.errors import BadInput
from workers.running import run_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def tournament() -> Tournament:
    return seas.make(submissions_per_round=4)


@pytest.fixture
def open_round(tournament: Tournament) -> Round:
    round = seas.first(tournament)
    seas.advance(tournament, round.opens_at)
    round.refresh_from_db()
    return round


def kelpie() -> ContributedModel:
    return ContributedModel.objects.get(name="kelpie")


def counts() -> tuple[int, ...]:
    return tuple(table.objects.count() for table in (Submission, Score, RoundWeights, MetaModel, Leaderboard, Entry))


def test_a_round_opens_with_its_universe_and_context(open_round: Round) -> None:
    assert open_round.status == "OPEN"
    assert open_round.universe_size == 40
    assert np.isfinite(list(open_round.context.values())).all()


def test_ticking_twice_or_late_does_everything_once(tournament: Tournament) -> None:
    seas.sail(tournament, 8)
    done, now = counts(), tournament.clock_at

    assert tick(tournament, now) == 0
    assert counts() == done
    assert tick(tournament, now - timedelta(days=30)) == 0
    assert counts() == done


def test_one_late_tick_catches_up_on_all_that_is_due(tournament: Tournament) -> None:
    rounds = list(tournament.rounds.order_by("number"))

    seas.advance(tournament, rounds[9].opens_at)

    status = dict(tournament.rounds.values_list("number", "status"))
    assert status[1] == "RESOLVED"
    assert status[10] == "OPEN"
    assert status[11] == "SCHEDULED"


def test_a_paused_tournament_stands_still(tournament: Tournament) -> None:
    Tournament.objects.update(is_paused=True)
    tournament.refresh_from_db()

    assert tick(tournament, seas.first(tournament).closes_at) == 0


def test_the_last_accepted_file_before_the_close_counts(tournament: Tournament, open_round: Round) -> None:
    seas.submit("kelpie", open_round)
    frame = seas.predictions("undertow", open_round)
    last = receive(
        kelpie(),
        open_round,
        frame.to_csv(index=False).encode(),
        filename="b.csv",
        source="api",
        now=open_round.opens_at,
    )
    broken = receive(
        kelpie(), open_round, b"id,prediction\nx,1", filename="c.csv", source="api", now=open_round.opens_at
    )

    seas.advance(tournament, open_round.closes_at)

    open_round.refresh_from_db()
    sealed = read_panel(open_round.panel_sha256)[:, open_round.panel_models.index("kelpie")]
    assert broken.status == "REJECTED"
    assert last.status == "ACCEPTED"
    assert sealed == pytest.approx(frame["prediction"].to_numpy(np.float32))


def test_a_late_file_is_kept_and_marked_and_does_not_count(tournament: Tournament, open_round: Round) -> None:
    seas.submit("northwind", open_round)
    late = seas.submit("kelpie", open_round, now=open_round.closes_at)

    seas.advance(tournament, open_round.closes_at)

    open_round.refresh_from_db()
    assert late.is_late
    assert late.status == "ACCEPTED"
    assert "kelpie" not in open_round.panel_models


def test_too_many_files_are_refused(open_round: Round) -> None:
    for _ in range(4):
        seas.submit("kelpie", open_round)

    with pytest.raises(BadInput, match="has sent 4 files to round 1"):
        seas.submit("kelpie", open_round)


def test_a_round_that_has_not_opened_takes_nothing(tournament: Tournament, open_round: Round) -> None:
    second = tournament.rounds.get(number=2)

    with pytest.raises(BadInput, match="round 2 opens at"):
        receive(kelpie(), second, b"", filename="a.csv", source="api", now=open_round.opens_at)


def test_a_round_without_any_file_but_the_platforms_own_still_resolves(tournament: Tournament) -> None:
    round = seas.first(tournament)

    for moment in (round.opens_at, round.closes_at, round.resolves_at):
        seas.advance(tournament, moment)

    round.refresh_from_db()
    assert round.status == "RESOLVED"
    assert len(round.panel_models) == 1


def test_final_scores_come_once_the_target_is_known(tournament: Tournament) -> None:
    seas.sail(tournament, 8)

    final = Score.objects.filter(is_final=True, model__name="kelpie").count()
    partial = Score.objects.filter(is_final=False, model__name="kelpie").count()
    assert final == tournament.rounds.filter(status="RESOLVED").count() >= 2
    assert partial > 0


def test_points_are_neither_lost_nor_made(tournament: Tournament) -> None:
    seas.sail(tournament, 12)

    transfers = Entry.objects.values("transfer").annotate(total=Sum("amount"))
    assert {row["total"] for row in transfers} == {Decimal(0)}
    assert Entry.objects.filter(transfer__kind="payout").exists()
    assert Entry.objects.aggregate(total=Sum("amount"))["total"] == 0


def test_a_payout_is_clipped_by_the_rules(tournament: Tournament) -> None:
    seas.sail(tournament, 12)

    clip = Decimal(str(tournament.parsed_rules().payout_clip))
    for round in tournament.rounds.filter(status="RESOLVED"):
        for entry in Entry.objects.filter(transfer__round=round, account__kind="stake"):
            assert abs(entry.amount) <= Decimal(round.stakes[entry.account.model.name]) * clip + Decimal("0.000001")


def test_stakes_count_as_they_were_at_the_close(tournament: Tournament, open_round: Round) -> None:
    seas.submit("kelpie", open_round)
    seas.advance(tournament, open_round.closes_at)

    put_at_stake(kelpie(), Decimal(500), key="afterwards", now=open_round.closes_at)

    open_round.refresh_from_db()
    assert Decimal(open_round.stakes["kelpie"]) == 10


def test_what_may_still_burn_cannot_be_taken(tournament: Tournament, open_round: Round) -> None:
    seas.submit("kelpie", open_round)
    seas.advance(tournament, open_round.closes_at)
    free = balance(stake_of(kelpie())) - locked(kelpie())

    assert 0 < locked(kelpie()) < 10
    with pytest.raises(BadInput, match="points asked for"):
        take_from_stake(kelpie(), free + Decimal("0.000001"), key="too much", now=open_round.closes_at)
    assert take_from_stake(kelpie(), free, key="all", now=open_round.closes_at)


def test_the_same_key_moves_points_once(tournament: Tournament) -> None:
    now = seas.first(tournament).opens_at
    before = balance(wallet(kelpie().owner_id))

    moved = [put_at_stake(kelpie(), Decimal("1.5"), key="again", now=now) for _ in range(2)]

    assert moved == [True, False]
    assert balance(wallet(kelpie().owner_id)) == before - Decimal("1.5")


@pytest.mark.parametrize("amount", [Decimal(-1), Decimal(0), Decimal(10_000), Decimal("0.0000001")])
def test_an_impossible_stake_is_refused(tournament: Tournament, amount: Decimal) -> None:
    with pytest.raises(BadInput, match="points asked for"):
        put_at_stake(kelpie(), amount, key="bad", now=seas.first(tournament).opens_at)


def test_the_treasury_owes_what_contributors_hold(tournament: Tournament) -> None:
    held = Entry.objects.exclude(account=treasury()).aggregate(total=Sum("amount"))["total"]

    assert balance(treasury()) == -held


def test_the_board_ranks_all_models_with_errors(tournament: Tournament) -> None:
    seas.sail(tournament, 14)

    rows: list[dict[str, Any]] = Leaderboard.objects.latest("id").rows
    ranks = [row["rank"] for row in rows if row["rank"] is not None]
    assert {row["model"] for row in rows} >= set(seas.FEATURES)
    assert ranks == sorted(ranks)


def test_the_meta_model_is_the_champions_blend(tournament: Tournament) -> None:
    seas.sail(tournament, 8)

    for meta in MetaModel.objects.select_related("round"):
        champion = RoundWeights.objects.get(round=meta.round, is_champion=True)
        assert champion.family == meta.family
        assert sum(champion.weights.values()) == pytest.approx(1.0)


def test_no_book_is_traded_before_it_is_chosen(tournament: Tournament) -> None:
    seas.sail(tournament, 12)

    books = Rebalance.objects.select_related("round").order_by("round__number")
    panel = known_prices(tournament, tournament.now() + timedelta(days=30))
    assert NavPoint.objects.earliest("date").date == panel.dates_D[row_after(panel, books[0].known_at)].astype(object)
    for book in books:
        day = panel.dates_D[row_after(panel, book.known_at)].astype(object)
        assert datetime(day.year, day.month, day.day, CLOSE_HOUR_UTC, tzinfo=UTC) > book.known_at


def test_a_book_earns_from_the_close_of_its_trade_to_that_of_the_next(tournament: Tournament) -> None:
    seas.sail(tournament, 12)

    panel = known_prices(tournament, tournament.now())
    points = list(NavPoint.objects.select_related("round").order_by("date"))
    value = {point.date: point.nav for point in points}
    days = [panel.dates_D[row].astype(object) for row in range(len(panel.dates_D))]
    closes = {name: panel.close_DN[:, column] for column, name in enumerate(panel.ids)}
    for book, following in pairwise(Rebalance.objects.select_related("round").order_by("round__number")):
        start, end = (row_after(panel, one.known_at) for one in (book, following))
        if end >= len(panel.dates_D):
            break
        fill = next(point for point in points if point.date == days[start])
        value_when_traded = fill.nav / (1 + fill.net_return) * (1 + fill.gross_return - fill.borrow)
        held = [point for point in points if days[start] < point.date <= days[end]]
        earned = sum(point.gross_return * value[days[days.index(point.date) - 1]] for point in held)
        moves = (row["weight"] * (closes[row["id"]][end] / closes[row["id"]][start] - 1) for row in book.holdings)
        assert {point.round for point in held} == {book.round}
        assert earned == pytest.approx(value_when_traded * sum(moves), abs=1e-12)


def test_a_round_waits_for_its_last_prices_and_stays_unscored(tournament: Tournament) -> None:
    last = tournament.rounds.order_by("-number")[0]
    seas.sail(tournament, last.number)

    seas.advance(tournament, last.resolves_at + timedelta(days=9))

    last.refresh_from_db()
    assert last.status == "RESOLVING"
    assert not last.scores.filter(is_final=True).exists()
    assert tournament.rounds.filter(status="RESOLVED").exists()
    assert b"as soon as its last prices have come" in Client().get(f"/rounds/{last.number}/?tournament=seas").content


def test_a_replay_with_nothing_due_moves_on_to_what_is_next_when_asked(tournament: Tournament) -> None:
    seas.advance(tournament, seas.first(tournament).opens_at)

    ask_advance(tournament, tournament.now())
    flow.run_all("io", "this process", run_job, clock=tournament.now)

    tournament.refresh_from_db()
    assert tournament.clock_at == seas.first(tournament).closes_at
    assert seas.first(tournament).status == "CLOSED"


def test_a_step_that_is_not_due_is_refused_at_once(open_round: Round) -> None:
    with pytest.raises(BadInput, match="nothing of Seas is due"):
        ask_step(open_round, "close", open_round.opens_at)
    with pytest.raises(BadInput, match="it must be closed or resolving"):
        ask_step(open_round, "score", open_round.opens_at)


def test_a_step_that_is_due_is_taken_by_a_worker_and_once(tournament: Tournament, open_round: Round) -> None:
    seas.submit("kelpie", open_round)
    Tournament.objects.filter(pk=tournament.pk).update(clock_at=open_round.closes_at)
    open_round.tournament.refresh_from_db()

    jobs = [ask_step(open_round, "close", open_round.closes_at) for _ in range(2)]
    flow.run_all("io", "this process", run_job, clock=lambda: open_round.closes_at)

    open_round.refresh_from_db()
    assert open_round.status == "CLOSED"
    assert {job.state for job in type(jobs[0]).objects.filter(kind="take_step")} == {"DONE"}


def test_rounds_are_told_to_nobody_unless_somebody_asked(tournament: Tournament) -> None:
    seas.sail(tournament, 6)
    assert not Job.objects.filter(queue="io").exists()
    owner = kelpie().owner
    for event in (Event.OPENED, Event.SCORED):
        Preference.objects.create(owner=owner, event=event, way=Way.INBOX)

    seas.sail(tournament, 8)

    told = {(job.payload["event"], job.payload["round"]) for job in Job.objects.filter(kind="notify")}
    number = dict(tournament.rounds.values_list("pk", "number"))
    assert {number[pk] for event, pk in told if event == Event.OPENED} == {7, 8}
    assert {number[pk] for event, pk in told if event == Event.SCORED}


def test_a_selector_promoted_after_the_opening_does_not_lead_that_round() -> None:
    noon = datetime(2020, 1, 3, 12, tzinfo=UTC)
    version = SelectorVersion(promoted_at=noon, retired_at=noon + timedelta(days=7))

    led = [version.led_at(noon + timedelta(days=days)) for days in (-1, 0, 6, 7)]

    assert led == [False, True, True, False]


def test_prices_of_a_newer_dataset_are_read_at_once(tournament: Tournament) -> None:
    later = tournament.now() + timedelta(days=3650)
    days = len(known_prices(tournament, later).dates_D)

    newer = Dataset.objects.create(tournament=tournament, version="v2.0")
    data = pack(seas.prices().rows(slice(0, days - 5)))
    DatasetFile.objects.create(dataset=newer, name=PRICES, sha256=artifacts.put(data), size=len(data), rows=0)

    assert len(known_prices(tournament, later).dates_D) == days - 5
