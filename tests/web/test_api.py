"""The REST API as a contributor's script uses it, from sign-up to scores, and what it refuses."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pytest
from django.test import Client

from regatta.accounts.models import User
from regatta.rounds.models import DatasetFile, Tournament
from tests.flows import seas

pytestmark = pytest.mark.django_db
ADA = {"username": "ada", "email": "ada@example.org", "password": "tide-and-wind-9"}


@pytest.fixture
def tournament() -> Tournament:
    made = seas.make()
    seas.sail(made, 7)
    seas.advance(made, made.rounds.get(number=8).opens_at)
    return made


def post(address: str, data: object, token: str = "", **headers: str) -> Any:
    extra = {"Authorization": f"Token {token}"} if token else {}
    return Client().post(
        f"/api/v1/{address}", json.dumps(data), content_type="application/json", headers=extra | headers
    )


def get(address: str, token: str = "") -> Any:
    return Client().get(f"/api/v1/{address}", headers={"Authorization": f"Token {token}"} if token else {})


@pytest.fixture
def token(tournament: Tournament) -> str:
    """A new contributor's key, with a model of hers."""
    assert post("accounts/", ADA).status_code == 201
    answer = post("keys/", {"username": "ada", "password": ADA["password"], "name": "script"})
    key = "{public_id}${secret}".format(**answer.json())
    assert post("models/", {"tournament": "seas", "name": "adas_boat"}, key).status_code == 201
    return key


def upload(data: bytes, token: str, query: str = "model=adas_boat") -> Any:
    return Client().post(
        f"/api/v1/submissions/?{query}", data, content_type="text/csv", headers={"Authorization": f"Token {token}"}
    )


def ranks_of(live: pd.DataFrame) -> bytes:
    values = live["momentum_12_1"].rank(method="first") / (len(live) + 1)
    return pd.DataFrame({"id": live["id"], "prediction": values}).to_csv(index=False).encode()


def test_a_stranger_goes_from_sign_up_to_a_counted_submission(tournament: Tournament, token: str) -> None:
    current = get("tournaments/seas/").json()
    live = pd.read_parquet(io.BytesIO(get("tournaments/seas/files/live_00008.parquet").content))

    answer = upload(ranks_of(live), token)

    assert answer.status_code == 201
    assert answer.json()["status"] == "ACCEPTED"
    assert get(f"submissions/{answer.json()['id']}/", token).json()["rows"] == 40
    assert current["slug"] == "seas"
    seas.advance(tournament, tournament.rounds.get(number=8).closes_at)
    assert "adas_boat" in tournament.rounds.get(number=8).panel_models


def test_every_fault_of_a_file_comes_back(token: str) -> None:
    answer = upload(b"id,prediction\nnobody,7\nnobody,x", token)

    assert answer.status_code == 201
    assert answer.json()["status"] == "REJECTED"
    assert len(answer.json()["faults"]) >= 3


def test_points_go_to_a_stake_and_back(token: str) -> None:
    put = post("models/adas_boat/stake/", {"points": "25.5"}, token, **{"Idempotency-Key": "one"})
    again = post("models/adas_boat/stake/", {"points": "25.5"}, token, **{"Idempotency-Key": "one"})
    back = post("models/adas_boat/stake/", {"points": "-5"}, token)

    assert put.json()["stake"] == again.json()["stake"] == "25.500000"
    assert back.json()["stake"] == "20.500000"
    assert get("models/adas_boat/stake/", token).json() == back.json()


REFUSALS: dict[str, tuple[str, Any, int, str]] = {
    "no field": ("models/adas_boat/stake/", {}, 422, "missing_field"),
    "a word for points": ("models/adas_boat/stake/", {"points": "many"}, 422, "points"),
    "no points": ("models/adas_boat/stake/", {"points": "0"}, 422, "points"),
    "more than there are": ("models/adas_boat/stake/", {"points": "1e9"}, 422, "points"),
    "not a number": ("models/adas_boat/stake/", {"points": "NaN"}, 422, "points"),
    "another's model": ("models/kelpie/stake/", {"points": "1"}, 404, "not_found"),
    "a taken name": ("models/", {"tournament": "seas", "name": "kelpie"}, 409, "name_taken"),
    "a bad name": ("models/", {"tournament": "seas", "name": "Bad Name"}, 422, "bad_name"),
    "no such tournament": ("models/", {"tournament": "lake", "name": "good_name"}, 404, "not_found"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_says_why_in_one_envelope(kind: str, token: str) -> None:
    address, data, status, code = REFUSALS[kind]

    answer = post(address, data, token)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_a_key_is_needed_and_its_scope_is_kept(token: str) -> None:
    wrong = upload(b"", "nobody$nothing")
    none = post("models/", {"tournament": "seas", "name": "other_boat"})

    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "not_authenticated")
    assert none.status_code == 401


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("model=kelpie", 404, "no_model"), ("model=adas_boat&round=999", 404, "no_round"),
     ("model=adas_boat&round=x", 404, "no_round"), ("model=adas_boat&round=20", 422, "not_open")],
)  # fmt: skip
def test_an_upload_to_nowhere_is_refused(token: str, query: str, status: int, code: str) -> None:
    answer = upload(b"id,prediction\n", token, query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_private_files_are_not_to_be_had(tournament: Tournament) -> None:
    private = DatasetFile.objects.filter(is_public=False).values_list("name", flat=True)

    assert {"prices.npz", "ids.key"} <= set(private)
    assert {get(f"tournaments/seas/files/{name}").status_code for name in private} == {404}


def test_a_file_that_did_not_change_is_not_sent_again(tournament: Tournament) -> None:
    first = get("tournaments/seas/files/train.parquet")

    again = Client().get("/api/v1/tournaments/seas/files/train.parquet", headers={"If-None-Match": first["ETag"]})

    assert first.status_code == 200
    assert again.status_code == 304


def test_rounds_scores_and_board_can_be_read_by_anyone(tournament: Tournament) -> None:
    rounds = get("tournaments/seas/rounds/?status=open").json()["results"]
    scores = get("models/kelpie/scores/").json()["results"]
    board = get("tournaments/seas/leaderboard/").json()

    assert [one["number"] for one in rounds] == [8]
    assert [one["round"] for one in scores] == list(range(1, len(scores) + 1))
    assert {row["model"] for row in board["results"]} >= set(seas.FEATURES)


def test_a_broken_body_is_refused(token: str) -> None:
    answer = Client().post("/api/v1/keys/", "{", content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_json")
    assert User.objects.filter(username="ada").count() == 1


def test_a_wrong_method_is_refused(tournament: Tournament) -> None:
    answer = get("accounts/")

    assert (answer.status_code, answer.json()["error"]["code"], answer["Allow"]) == (405, "method_not_allowed", "POST")
