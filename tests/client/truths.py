"""What each method of the client must answer, by what the database says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from regatta import artifacts
from regatta.accounts.models import User
from regatta.diagnostics.models import Diagnosis
from regatta.hosting.models import HostedModel
from regatta.rounds.models import DatasetFile, Round, Tournament
from regatta.rounds.prices import live_ids
from regatta.scores.models import Leaderboard, Score
from regatta.stakes.overview import paid_in
from regatta.submissions.models import ContributedModel, Submission
from tests.client.waters import SAILED, SLUGS

NO_CHAIN = "there is no blockchain here"
DOCUMENTED = {
    "v3_stake_auth": NO_CHAIN, "v3_stake_claim": NO_CHAIN, "v3_stake_config": NO_CHAIN, "v3_stake_round": NO_CHAIN,
}  # fmt: skip
"""Methods that are refused, and how docs/api.md says so."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the database says of one API's tournament, and what the API's other methods answered."""

    number: int
    answers: dict[str, Any]

    @property
    def tournament(self) -> Tournament:
        return Tournament.objects.get(slug=SLUGS[self.number])

    @property
    def model(self) -> ContributedModel:
        return ContributedModel.objects.get(name=f"adas_{SLUGS[self.number]}")

    @property
    def board(self) -> Leaderboard:
        return self.tournament.leaderboards.first()  # type: ignore[return-value]

    @property
    def open(self) -> Round:
        return self.tournament.rounds.get(status="OPEN")

    def final(self, score: str) -> dict[int, float]:
        rows = Score.objects.filter(model=self.model, is_final=True).order_by("-round__number")
        return dict(rows.values_list("round__number", score))


def is_told_daily(value: Any, truth: Truth) -> None:
    line = next(row for row in truth.board.rows if row["model"] == truth.model.name)
    assert len(value) == truth.tournament.leaderboards.count()
    assert (value[0]["corrRep"], value[0]["corrRank"]) == (line["corr"], line["rank"])
    assert value[0]["mmcRep"] == line["mmc"]


def is_asked_for(value: Any, truth: Truth) -> None:
    assert Diagnosis.objects.get(pk=value).model == truth.model


def is_handed_in(value: Any, truth: Truth) -> None:
    hosted = HostedModel.objects.get(pk=value["id"])
    assert (hosted.model, hosted.format) == (truth.model, "lightgbm")  # the site may have checked it by now
    assert "is a pickle" in value["pickle"]


def has_one_version_of_the_data(value: Any, truth: Truth) -> None:
    assert value == {"v1.0": "v1.0"}


def has_one_image(value: Any, truth: Truth) -> None:
    assert value == {"sandbox": "sandbox"}


def is_diagnosed(value: Any, truth: Truth) -> None:
    eras = [era["validationCorr"] for era in value["perEraDiagnostics"]]
    assert (value["status"], value["message"]) == ("done", "")
    assert value["erasAcceptedCount"] == len(eras) > 10
    assert value["validationCorrMean"] == pytest.approx(sum(eras) / len(eras))
    assert value["validationCorrCorrWExamplePreds"] > 0.3


def is_downloaded(value: Any, truth: Truth) -> None:
    assert value == {"bytes": artifacts.size(truth.open.live_sha256), "same": True, "eras": ["0002"]}


def is_uploaded(value: Any, truth: Truth) -> None:
    trigger = f"node of {truth.model.name}"
    told = {"status": "ACCEPTED", "selected": True, "faults": [], "triggerId": trigger}
    assert value["newest"] == told | {"id": value["id"]}
    sent = Submission.objects.get(pk=value["id"])
    assert (sent.model, sent.round, sent.source, sent.trigger_id) == (truth.model, truth.open, "numerapi", trigger)


def is_the_account(value: Any, truth: Truth) -> None:
    ada = User.objects.get(username="ada")
    assert (value["username"], value["email"], value["status"]) == (ada.username, ada.email, "active")
    assert {one["id"] for one in value["models"]} == {str(one.pk) for one in ada.models.all()}
    assert [one["public_id"] for one in value["apiTokens"]] == [one.public_id for one in ada.api_keys.all()]
    assert Decimal(value["availableNmr"]) > 0


def is_the_board(value: Any, truth: Truth) -> None:
    assert [(row["username"], row["rank"]) for row in value] == [(r["model"], r["rank"]) for r in truth.board.rows]
    mmc = "mmc" if truth.number == 11 else "mmcRep"
    assert [row[mmc] for row in value] == [row["mmc"] for row in truth.board.rows]


def is_the_board_of_accounts(value: Any, truth: Truth) -> None:
    owned = [row for row in truth.board.rows if not row["is_benchmark"]]
    assert [row["username"] for row in value] == [row["owner"] for row in owned]
    assert [row["v2Corr20"] for row in value] == pytest.approx([row["corr"] for row in owned])


def are_all_rounds(value: Any, truth: Truth) -> None:
    opened = truth.tournament.rounds.exclude(status="SCHEDULED").order_by("-number")
    assert [(row["number"], row["resolvedGeneral"]) for row in value] == [
        (round.number, round.status == "RESOLVED") for round in opened
    ]


def are_the_last_resolved(value: Any, truth: Truth) -> None:
    resolved = truth.tournament.rounds.resolved().order_by("-number")[:2]
    assert [(row["number"], row["openTime"]) for row in value] == [(one.number, str(one.opens_at)) for one in resolved]
    assert [config["defaultMultiplier"] for config in value[0]["roundScoreConfigs"]] == [0.5, 2.0]


def are_names_by_round(value: Any, truth: Truth) -> None:
    assert [row["round_num"] for row in value] == list(range(1, SAILED + 2))
    assert {row["tournament"] for row in value} == {truth.number}


def are_partial_scores(value: Any, truth: Truth) -> None:
    told = {
        (row["roundNumber"], score["day"]): score["value"]
        for row in value for score in row["intraRoundSubmissionScores"] if score["displayName"] == "corr"
    }  # fmt: skip
    rows = Score.objects.filter(model=truth.model).values_list("round__number", "day", "corr")
    assert told == {(number, day): corr for number, day, corr in rows}


def are_public_files(value: Any, truth: Truth) -> None:
    files = DatasetFile.objects.filter(dataset__tournament=truth.tournament, is_public=True)
    assert {f"v1.0/{file.name}" for file in files} < set(value)
    assert f"v1.0/live_{SAILED + 1:05d}.parquet" in value
    assert not any(name.endswith((".npz", ".key")) for name in value)


def are_payouts(value: Any, truth: Truth) -> None:
    rounds = list(truth.tournament.rounds.resolved().values_list("pk", flat=True))
    paid = {(int(row["roundId"]), int(row["modelId"])): Decimal(row["payoutNmr"]) for row in value["actual"]}
    assert paid == paid_in(rounds, [truth.model])
    under_way = Score.objects.filter(model=truth.model, round__status="RESOLVING").order_by("-round__number")
    numbers = list(under_way.values_list("round__number", flat=True).distinct())
    assert [row["roundNumber"] for row in value["pending"]] == numbers != []


def is_the_pipeline(value: Any, truth: Truth) -> None:
    assert value["tournament"] == ("classic" if truth.number == 8 else "signals")
    assert value["startedAt"] == str(truth.open.opens_at)


def is_the_profile(value: Any, truth: Truth) -> None:
    assert (value["id"], value["username"]) == (str(truth.model.pk), truth.model.name)
    assert value["startDate"] == str(truth.model.created_at)


def are_performances(value: Any, truth: Truth) -> None:
    resolved = truth.tournament.rounds.resolved().order_by("-number")[0]
    row = next(one for one in value if one["roundNumber"] == resolved.number)
    settled = sum(Decimal(one["payoutSettled"]) for one in row["submissionScores"] if one["payoutSettled"])
    paid = paid_in([resolved.pk], [truth.model])[resolved.pk, truth.model.pk]
    assert abs(settled - paid) <= Decimal("0.000002")
    assert row["atRisk"] == resolved.stakes[truth.model.name]


def moved(points: str) -> Callable[[Any, Truth], None]:
    def check(value: Any, truth: Truth) -> None:
        assert (Decimal(value["requestedAmount"]), value["status"]) == (Decimal(points), "confirmed")

    return check


def is_what_was_put(value: Any, truth: Truth) -> None:
    before = Decimal(truth.answers["public_user_profile"]["value"]["nmrStaked"])
    assert Decimal(value) == before + Decimal("1.5") + 2 - Decimal("0.5")


def is_set(value: Any, truth: Truth) -> None:
    assert value["type"] == "increase"
    assert Decimal(value["requestedAmount"]) == 110 - Decimal(truth.answers["stake_get"]["value"])


def is_drained(value: Any, truth: Truth) -> None:
    assert (value["drain"], value["type"]) == (True, "decrease")
    assert value["requestedAmount"] == truth.answers["wallet_transactions"]["value"][0]["amount"]


def are_submissions(value: Any, truth: Truth) -> None:
    sent = [row["id"] for row in value]
    assert sent == sorted(sent, key=int, reverse=True)
    assert {int(pk) for pk in sent} <= set(Submission.objects.filter(model=truth.model).values_list("pk", flat=True))
    assert truth.answers["upload_predictions"]["value"]["id"] == sent[0]


def are_final_scores(value: Any, truth: Truth) -> None:
    assert {row["roundNumber"]: row["value"] for row in value} == truth.final("corr")
    assert {row["day"] for row in value} == {5}


def is_the_universe(value: Any, truth: Truth) -> None:
    assert value == list(live_ids(truth.open.live_sha256))


def are_transactions(value: Any, truth: Truth) -> None:
    kinds = {row["type"] for row in value}
    assert kinds == {"welcome", "stake"}
    assert (value[0]["from"], value[0]["to"], value[0]["tournament"]) == (truth.model.name, "wallet", truth.number)


def equals(expected: Callable[[Truth], Any]) -> Callable[[Any, Truth], None]:
    def check(value: Any, truth: Truth) -> None:
        assert value == expected(truth)

    return check


TRUE = equals(lambda _: True)
CHECKS: dict[str, Callable[[Any, Truth], None]] = {
    "check_new_round": TRUE, "check_round_open": TRUE, "set_submission_webhook": TRUE, "download_submission": TRUE,
    "daily_model_performances": is_told_daily,
    "upload_diagnostics": is_asked_for, "model_upload": is_handed_in,
    "model_upload_data_versions": has_one_version_of_the_data, "model_upload_docker_images": has_one_image,
    "diagnostics": is_diagnosed, "download_dataset": is_downloaded, "upload_predictions": is_uploaded,
    "get_account": is_the_account, "get_account_leaderboard": is_the_board_of_accounts,
    "get_competitions": are_all_rounds, "get_current_round": equals(lambda _: SAILED + 1),
    "get_leaderboard": is_the_board, "get_models": equals(lambda truth: {truth.model.name: str(truth.model.pk)}),
    "get_submission_filenames": are_names_by_round, "intra_round_scores": are_partial_scores,
    "list_datasets": are_public_files, "list_rounds": are_the_last_resolved,
    "modelid_to_modelname": equals(lambda truth: truth.model.name),
    "models_of_account": equals(lambda truth: {truth.model.name: str(truth.model.pk)}),
    "pending_model_payouts": are_payouts, "pipeline_status": is_the_pipeline, "public_user_profile": is_the_profile,
    "raw_query": equals(lambda _: {"data": {"account": {"username": "ada"}}}),
    "round_model_performances": are_performances, "round_model_performances_v2": are_performances,
    "set_bio": equals(lambda truth: truth.model.description == "Sails with the wind."),
    "set_global_data_dir": equals(lambda _: "kept/f.json"),
    "set_link": equals(lambda truth: truth.model.link_url == "https://example.org/ada"),
    "stake_change": moved("1.5"), "stake_increase": moved("2"), "stake_decrease": moved("0.5"),
    "stake_get": is_what_was_put, "stake_set": is_set, "stake_drain": is_drained, "submission_ids": are_submissions,
    "submission_scores": are_final_scores, "ticker_universe": is_the_universe,
    "wallet_transactions": are_transactions,
}  # fmt: skip
