"""Whatever a request holds, the site answers that it is wrong, in the form of its address; nothing breaks within."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from regatta.accounts.models import ApiKey, User
from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas

pytestmark = pytest.mark.django_db
NUL, HALF, LONG = "\x00", "\ud800", "9" * 5000
ADA = {"username": "ada", "email": "ada@example.org", "password": "tide-and-wind-9"}


@pytest.fixture(scope="module")
def sea(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tournament]:
    """A tournament whose first round is open, for all tests of this file."""
    with django_db_blocker.unblock():
        made = seas.make(rounds=4)
        seas.advance(made, seas.first(made).opens_at)
        yield made
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def open_round(sea: Tournament, db: None) -> Round:
    return seas.first(sea)


@pytest.fixture
def owner(open_round: Round) -> User:
    return User.objects.get(username="owner_of_kelpie")


@pytest.fixture
def api(owner: User) -> Client:
    key, secret = ApiKey.issue(owner, "script")
    return Client(headers={"Authorization": f"Token {key.public_id}${secret}"}, raise_request_exception=False)


@pytest.fixture
def page(owner: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    return client


def post(api: Client, address: str, data: Any) -> Any:
    text = data if isinstance(data, str) else json.dumps(data)
    return api.post(f"/api/v1/{address}", text, content_type="application/json")


KEY = {"username": "owner_of_kelpie", "password": "a long enough password"}
BODIES: dict[str, tuple[str, Any, int, str]] = {
    "a NUL in a name": ("keys/", KEY | {"username": f"a{NUL}b"}, 422, "bad_text"),
    "a NUL in a password": ("keys/", KEY | {"password": f"a{NUL}b"}, 422, "bad_text"),
    "half a surrogate pair": ("keys/", KEY | {"username": HALF}, 422, "bad_text"),
    "a NUL in a key's name": ("keys/", KEY | {"name": NUL}, 422, "bad_text"),
    "a key's name too long": ("keys/", KEY | {"name": "x" * 61}, 422, "bad_name"),
    "a number for scopes": ("keys/", KEY | {"scopes": 5}, 422, "bad_scopes"),
    "a word for scopes": ("keys/", KEY | {"scopes": "read"}, 422, "bad_scopes"),
    "scopes in scopes": ("keys/", KEY | {"scopes": [["read"]]}, 422, "bad_scopes"),
    "an unknown scope": ("keys/", KEY | {"scopes": ["rule"]}, 422, "bad_scopes"),
    "a list": ("keys/", [KEY], 422, "missing_field"),
    "nothing": ("keys/", "", 400, "bad_json"),
    "a deep nest": ("keys/", "[" * 50_000, 400, "bad_json"),
    "a flood": ("keys/", "[" * 200_000, 413, "too_large"),
    "a user name too long": ("accounts/", ADA | {"username": "a" * 500}, 422, "invalid"),
    "an address too long": ("accounts/", ADA | {"email": f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}.org"}, 422,
                            "invalid"),
    "a NUL in a user name": ("accounts/", ADA | {"username": f"a{NUL}"}, 422, "bad_text"),
    "half a pair in a password": ("accounts/", ADA | {"password": f"tide-and-wind-9{HALF}"}, 422, "bad_text"),
    "a NUL in a model's name": ("models/", {"tournament": "seas", "name": f"a{NUL}"}, 422, "bad_text"),
    "a line's end in a model's name": ("models/", {"tournament": "seas", "name": "good_name\n"}, 422, "bad_name"),
    "a NUL in a slug": ("models/", {"tournament": NUL, "name": "good_name"}, 422, "bad_text"),
    "digits of another script": ("models/kelpie/stake/", {"points": "٣"}, 422, "points"),
    "digits with underscores": ("models/kelpie/stake/", {"points": "1_0"}, 422, "points"),
    "a number without end": ("models/kelpie/stake/", {"points": LONG}, 422, "points"),
    "seven decimals": ("models/kelpie/stake/", {"points": "0.0000001"}, 422, "points"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_a_malformed_body_is_refused_in_the_envelope(kind: str, api: Client) -> None:
    address, data, status, code = BODIES[kind]

    answer = post(api, address, data)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


BOARD = "tournaments/seas/leaderboard/"
ADDRESSES = {
    "models/%00/scores/": 400, "tournaments/seas/files/%00": 400, "tournaments/seas/rounds/?status=%00": 400,
    "tournaments/seas/rounds/?%00=x": 400, "tournaments/nope/rounds/": 404, f"{BOARD}?round=%C2%B2": 404,
    f"{BOARD}?round={LONG}": 404, "nope/": 404, "": 404, f"submissions/{LONG}/": 404, "tournaments/%00/": 404,
    "submissions/99999999999999999999/": 404,
}  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_nothing_is_refused_in_the_envelope(address: str, api: Client) -> None:
    answer = api.get(f"/api/v1/{address}")

    assert answer.status_code == ADDRESSES[address]
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("model=%00", 400), ("model=kelpie&round=²", 404), (f"model=kelpie&round={LONG}", 404),
     ("model=kelpie&round=-1", 404), ("model=kelpie&round=%00", 400)],
)  # fmt: skip
def test_an_upload_to_an_odd_address_is_refused_in_the_envelope(query: str, status: int, api: Client) -> None:
    answer = api.post(f"/api/v1/submissions/?{query}", b"id,prediction\n", content_type="text/csv")

    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_a_fault_of_ours_is_told_in_the_envelope_too(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regatta.api.v1.submissions.receive", lambda *_, **__: 1 / 0)

    answer = api.post("/api/v1/submissions/?model=kelpie", b"x", content_type="text/csv")

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "server_error")


def test_a_post_without_the_last_slash_is_not_made_a_reading(api: Client) -> None:
    """After a 301 clients send a GET, which answers 200 with a list while nothing was made."""
    data = json.dumps({"tournament": "seas", "name": "slashless"})

    answer = api.post("/api/v1/models", data, content_type="application/json")
    followed = api.post("/api/v1/models", data, content_type="application/json", follow=True)

    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/models/")
    assert (followed.status_code, followed.json()["name"]) == (201, "slashless")


@pytest.mark.parametrize("address", ["models/", "submissions/?model=kelpie", "models/kelpie/hosted/"])
def test_a_body_without_its_length_is_not_read_as_an_empty_one(address: str, api: Client) -> None:
    answer = api.generic("POST", f"/api/v1/{address}", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")

    assert (answer.status_code, answer.json()["error"]["code"]) == (411, "no_length")
    assert not Submission.objects.filter(source="api", rows=0).exists()


@pytest.mark.parametrize("address", ["tournaments/?limits=1", "tournaments/seas/portfolio/?order=newest", "status/?x"])
def test_a_parameter_that_would_be_without_effect_is_refused(address: str, api: Client) -> None:
    answer = api.get(f"/api/v1/{address}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unknown_parameter")


def test_a_parameter_that_is_given_twice_is_refused(api: Client) -> None:
    answer = api.get("/api/v1/tournaments/seas/rounds/?status=OPEN&status=RESOLVED")

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "given_twice")


@pytest.mark.parametrize("address", ["tournaments/seas/rounds/?status=sunk", "jobs/?state=sunk"])
def test_a_state_that_there_is_not_is_no_empty_list(address: str, api: Client) -> None:
    answer = api.get(f"/api/v1/{address}")

    assert answer.status_code == 422
    assert "OPEN" in answer.json()["error"]["message"] or "QUEUED" in answer.json()["error"]["message"]


def test_a_state_may_be_written_small(api: Client) -> None:
    assert [one["status"] for one in api.get("/api/v1/tournaments/seas/rounds/?status=open").json()["results"]] == [
        "OPEN"
    ]


@pytest.mark.parametrize(
    "address", ["tournaments/lake/", "models/nobodys/", "submissions/99999/", "tournaments/seas/rounds/99/"]
)
def test_what_there_is_not_is_told_in_words_of_the_field(address: str, api: Client) -> None:
    told = api.get(f"/api/v1/{address}").json()["error"]

    assert told["message"].startswith("there is no ")
    assert told["hint"]


def test_what_to_do_stands_in_the_hint_and_not_in_the_message(api: Client) -> None:
    told = post(api, "webhooks/", {"url": "http://example.org/x", "events": ["round.opened"]}).json()["error"]

    assert told["message"].endswith("it is not encrypted")
    assert told["hint"] == told["faults"][0]["hint"] == "give a public https one"


def test_a_file_whose_name_came_to_nothing_gets_the_usual_one(api: Client) -> None:
    answer = api.post("/api/v1/submissions/?model=kelpie", b"id", content_type="text/csv", headers={"X-Filename": ""})

    assert answer.json()["filename"] == "predictions.csv"


def test_an_address_without_its_last_slash_still_leads_there(api: Client) -> None:
    assert api.get("/api/v1/tournaments").headers["Location"] == "/api/v1/tournaments/"


@pytest.mark.parametrize("address", ["tournaments/", "tournaments/seas/rounds/", "models/kelpie/stake/"])
def test_the_head_alone_can_be_asked_for(address: str, api: Client) -> None:
    assert api.head(f"/api/v1/{address}").status_code == 200


def test_the_kind_of_a_key_may_be_written_small(api: Client) -> None:
    header = {"Authorization": str(api.defaults["HTTP_AUTHORIZATION"]).replace("Token", "token")}

    assert api.get("/api/v1/models/kelpie/stake/", headers=header).status_code == 200


PAGES = [
    "/models/%00/",
    "/models/%00/scores.csv",
    "/submit/?model=%00",
    "/?tournament=%00",
    "/accounts/login/?next=%00",
]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_nothing_is_refused(address: str, page: Client) -> None:
    assert page.get(address).status_code == 400


FORMS = {
    "/submit/": {"model": NUL}, "/accounts/models/": {"name": NUL}, "/accounts/models/%00/stake/": {"points": "1"},
    "/accounts/keys/": {"name": f"x{NUL}"}, "/accounts/login/": {"username": NUL, "password": "x"},
}  # fmt: skip


@pytest.mark.parametrize("address", FORMS)
def test_a_form_with_a_nul_is_refused(address: str, page: Client) -> None:
    assert page.post(address, FORMS[address]).status_code == 400


def test_a_cookie_with_a_nul_is_refused(page: Client) -> None:
    page.cookies["sessionid"] = "\x00aaaaaaaaaaaa"

    assert page.get("/accounts/").status_code == 400


@pytest.mark.parametrize("table", ["accounts/user", "rounds/round", "accounts/apikey"])
def test_an_admin_action_on_rows_that_are_no_numbers_is_refused(table: str, page: Client) -> None:
    page.force_login(User.objects.create_superuser("harbourmaster", "office@example.org", "tide-and-wind-9"))
    data = {"action": "delete_selected", "_selected_action": "abc", "index": "0"}

    assert page.post(f"/admin/{table}/", data).status_code == 400


def test_a_file_of_odd_bytes_is_kept_as_refused(api: Client) -> None:
    data = b"id,prediction\n" + b"a" * 5000 + b"\x00,0.5\n"

    answer = api.post(
        "/api/v1/submissions/?model=kelpie", data, content_type="text/csv", headers={"X-Filename": "\x01"}
    )

    assert answer.status_code == 201
    assert answer.json()["faults"][0]["code"] == "wrong_format"
    assert Submission.objects.get(model__name="kelpie").filename == "\\x01"


def test_a_file_above_the_limit_is_refused_before_anything_is_stored(api: Client, open_round: Round) -> None:
    rules = open_round.tournament.rules | {"max_upload_bytes": 10}
    Tournament.objects.update(rules=rules)

    answer = api.post("/api/v1/submissions/?model=kelpie", b"id,prediction\n", content_type="text/csv")

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "the limit is 10" in answer.json()["error"]["message"]
    assert not Submission.objects.filter(model__name="kelpie").exists()


@pytest.mark.parametrize("name", ["OWNER_OF_KELPIE", "regatta", "Regatta", "ADMIN"])
def test_nobody_signs_up_under_a_name_that_looks_like_anothers(name: str, page: Client) -> None:
    page.logout()
    people = User.objects.count()
    data = {
        "username": name,
        "email": "eve@example.org",
        "password1": "tide-and-wind-9",
        "password2": "tide-and-wind-9",
    }

    by_page = page.post("/accounts/signup/", data)
    by_api = post(Client(), "accounts/", {"username": name, "email": "eve@example.org", "password": "tide-and-wind-9"})

    assert by_page.status_code == 422
    assert by_api.status_code in (409, 422)
    assert User.objects.count() == people


def test_nobody_opens_a_model_that_passes_for_the_platforms(api: Client, page: Client, open_round: Round) -> None:
    name = "example_ships"

    by_api = post(api, "models/", {"tournament": "seas", "name": name})
    by_page = page.post("/accounts/models/", {"tournament": open_round.tournament_id, "name": name})

    assert by_api.status_code == by_page.status_code == 422
    assert not ContributedModel.objects.filter(name=name).exists()


def test_whoever_bears_the_platforms_name_gets_none_of_its_models(open_round: Round) -> None:
    from regatta.submissions.intake import platform_user
    from tournament.errors import BadInput

    User.objects.filter(username="regatta").delete()
    User.objects.create_user("regatta", "eve@example.org", "tide-and-wind-9")

    with pytest.raises(BadInput, match="is not the platform's"):
        platform_user()


def test_a_key_that_moved_points_moves_no_others(api: Client) -> None:
    def move(points: str, key: str) -> Any:
        return api.post("/api/v1/models/kelpie/stake/", json.dumps({"points": points}), content_type="application/json",
                        headers={"Idempotency-Key": key})  # fmt: skip

    first, again, other = move("5", "one"), move("5", "one"), move("7", "one")

    assert first.json() == again.json()
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_used")


def test_no_points_are_no_move(api: Client) -> None:
    answer = post(api, "models/kelpie/stake/", {"points": "0"})

    assert "no points are to be moved" in answer.json()["error"]["message"]


def test_points_in_digits_of_another_script_are_refused_by_page(page: Client) -> None:
    data = {"points": "٣", "direction": "put", "key": "one"}

    answer = page.post("/accounts/models/kelpie/stake/", data, follow=True)

    assert "Give a number of points above zero" in answer.content.decode()


@pytest.mark.parametrize("address", ["/favicon.ico", "/tournaments/"])
def test_addresses_that_people_guess_lead_on(address: str, page: Client) -> None:
    assert page.get(address).status_code == 302


def test_crawlers_are_told_what_is_not_theirs(page: Client) -> None:
    assert b"Disallow: /accounts/" in page.get("/robots.txt").content
