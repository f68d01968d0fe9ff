"""Opening models, moving points and sending files by page: what works, and what is refused in words."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from regatta.accounts.models import User
from regatta.rounds.models import Round, Tournament
from regatta.stakes.ledger import balance, stake_of, wallet
from regatta.stakes.overview import free_points
from regatta.submissions.models import ContributedModel, Submission
from tests.flows import seas

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_round() -> Round:
    made = seas.make(rounds=4)
    round = seas.first(made)
    seas.advance(made, round.opens_at)
    round.refresh_from_db()
    return round


@pytest.fixture
def owner(open_round: Round, client: Client) -> Client:
    client.force_login(User.objects.get(username="owner_of_kelpie"))
    return client


def model_form(open_round: Round, **changes: str) -> dict[str, str]:
    return {"tournament": str(open_round.tournament_id), "name": "second_wind", "description": "", **changes}


def stake(client: Client, name: str = "kelpie", **changes: str) -> str:
    data = {"points": "25", "direction": "put", "key": "one", **changes}
    return client.post(f"/accounts/models/{name}/stake/", data, follow=True).content.decode()


def at_stake(name: str = "kelpie") -> Decimal:
    return balance(stake_of(ContributedModel.objects.get(name=name)))


def upload(data: bytes, name: str = "mine.csv") -> dict[str, object]:
    return {"model": "kelpie", "predictions": SimpleUploadedFile(name, data)}


def good_file(round: Round) -> bytes:
    return seas.predictions("kelpie", round).to_csv(index=False).encode()


def test_who_signs_up_by_page_starts_with_points(client: Client) -> None:
    password = "tide-and-wind-9"
    data = {"username": "ada", "email": "ada@example.org", "password1": password, "password2": password}

    client.post("/accounts/signup/", data)

    assert free_points(User.objects.get(username="ada").pk) == Decimal(1000)


def test_a_model_is_opened(owner: Client, open_round: Round) -> None:
    answer = owner.post("/accounts/models/", model_form(open_round), follow=True)

    assert b"second_wind is open" in answer.content
    assert ContributedModel.objects.get(name="second_wind").owner.username == "owner_of_kelpie"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "kelpie"}, "A model of this name exists"),
        ({"name": "Two Words"}, "Use 3 to 40 small letters"),
        ({"name": ""}, "This field is required"),
        ({"tournament": "0"}, "Select a valid choice"),
    ],
)
def test_a_wrong_model_is_refused_in_words(
    owner: Client, open_round: Round, changes: dict[str, str], said: str
) -> None:
    answer = owner.post("/accounts/models/", model_form(open_round, **changes))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert ContributedModel.objects.filter(owner__username="owner_of_kelpie").count() == 1


def test_nobody_opens_a_benchmark(owner: Client, open_round: Round) -> None:
    owner.post("/accounts/models/", model_form(open_round, is_benchmark="on"))

    assert not ContributedModel.objects.get(name="second_wind").is_benchmark


def test_points_go_to_a_stake(owner: Client) -> None:
    before = at_stake()

    text = stake(owner)

    assert at_stake() == before + 25
    assert "25 points now at stake for kelpie" in text


def test_points_come_back_from_a_stake(owner: Client) -> None:
    before = at_stake()

    stake(owner, points="4.5", direction="take")

    assert at_stake() == before - Decimal("4.5")


def test_a_form_sent_twice_counts_once(owner: Client) -> None:
    before = at_stake()

    stake(owner)
    stake(owner)

    assert at_stake() == before + 25


def test_more_points_than_are_free_are_refused(owner: Client) -> None:
    free = balance(wallet(User.objects.get(username="owner_of_kelpie").pk))

    text = stake(owner, points="5000")

    assert f"{free} are free" in text
    assert at_stake() == 10


@pytest.mark.parametrize("points", ["0", "-5", "many", "NaN", "Infinity", "0.0000001", ""])
def test_what_is_no_number_of_points_is_refused(owner: Client, points: str) -> None:
    text = stake(owner, points=points)

    assert "Give a number of points above zero" in text
    assert at_stake() == 10


def test_nobody_moves_the_stake_of_another(owner: Client) -> None:
    answer = owner.post("/accounts/models/northwind/stake/", {"points": "1", "direction": "take", "key": "x"})

    assert answer.status_code == 404
    assert at_stake("northwind") == 20


def test_what_sealed_rounds_may_burn_is_shown_as_locked(owner: Client, open_round: Round) -> None:
    seas.submit("kelpie", open_round)
    seas.advance(open_round.tournament, open_round.closes_at)

    text = owner.get("/accounts/").content.decode()

    assert "0.50 locked" in text


def test_movements_are_told_newest_first(owner: Client) -> None:
    stake(owner)

    text = owner.get("/accounts/").content.decode()

    amounts = re.findall(r"<td>([+−][\d.]+)</td>", text)
    assert amounts[:2] == ["+25.0000", "−25.0000"]


def test_a_good_file_is_accepted(owner: Client, open_round: Round) -> None:
    answer = owner.post("/submit/", upload(good_file(open_round)), follow=True)

    assert b"Your file is accepted" in answer.content
    assert Submission.objects.get(model__name="kelpie").status == "ACCEPTED"


def test_a_bad_file_comes_back_with_every_fault(owner: Client, open_round: Round) -> None:
    answer = owner.post("/submit/", upload(b"id,prediction\nnobody,7\nnobody,x"), follow=True)
    text = answer.content.decode()

    found = Submission.objects.get(model__name="kelpie")
    assert f"Your file has {len(found.faults)} faults" in text
    assert text.count('<div class="note">') >= len(found.faults) >= 3


def test_the_account_shows_the_file_that_counts(owner: Client, open_round: Round) -> None:
    owner.post("/submit/", upload(good_file(open_round)))
    owner.post("/submit/", upload(b"nothing"))

    text = owner.get("/accounts/").content.decode()

    counting = Submission.objects.get(model__name="kelpie", status="ACCEPTED")
    assert f'/submissions/{counting.pk}/">round {open_round.number}</a>, accepted' in text


def test_the_name_of_a_file_keeps_its_letters(owner: Client, open_round: Round) -> None:
    answer = owner.post("/submit/", upload(b"\x1f\x8b\x08", "mine.csv.gz"), follow=True)

    assert "The file mine.csv.gz is a gzip file" in answer.content.decode()


def test_a_bad_file_leaves_the_good_one_counting(owner: Client, open_round: Round) -> None:
    owner.post("/submit/", upload(good_file(open_round)))

    answer = owner.post("/submit/", upload(b"nothing"), follow=True)

    assert re.search(r"Your file of <time[^>]*>[^<]*</time></a> counts", answer.content.decode())


def test_what_a_file_says_of_itself_is_escaped(owner: Client, open_round: Round) -> None:
    answer = owner.post("/submit/", upload(b"id,prediction\n<b>x</b>,0.5", "<i>.csv"), follow=True)

    assert b"<b>x</b>" not in answer.content
    assert b"<i>.csv" not in answer.content


def test_without_a_file_nothing_is_sent(owner: Client) -> None:
    answer = owner.post("/submit/", {"model": "kelpie"})

    assert answer.status_code == 422
    assert b"No file was chosen" in answer.content


def test_too_large_a_file_is_not_even_read(owner: Client, open_round: Round) -> None:
    rules = open_round.tournament.rules | {"max_upload_bytes": 10}
    Tournament.objects.update(rules=rules)

    answer = owner.post("/submit/", upload(good_file(open_round)))

    assert answer.status_code == 422
    assert b"the limit is 10" in answer.content
    assert not Submission.objects.filter(model__name="kelpie").exists()


def test_after_the_close_nothing_is_open(owner: Client, open_round: Round) -> None:
    seas.advance(open_round.tournament, open_round.closes_at)

    answer = owner.post("/submit/", upload(good_file(open_round)))

    assert answer.status_code == 422
    assert b"No round of Seas is open" in answer.content
    assert b"nothing can be queued before" in answer.content


def test_nobody_sends_for_the_model_of_another(owner: Client, open_round: Round) -> None:
    answer = owner.post("/submit/", {**upload(good_file(open_round)), "model": "northwind"})

    assert answer.status_code == 404


def test_nobody_reads_the_submission_of_another(owner: Client, open_round: Round) -> None:
    foreign = seas.submit("northwind", open_round)

    assert owner.get(f"/submissions/{foreign.pk}/").status_code == 404


@pytest.mark.parametrize("address", ["/submit/", "/accounts/", "/submissions/1/"])
def test_a_stranger_is_asked_to_log_in(open_round: Round, client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


@pytest.mark.parametrize("address", ["/accounts/models/", "/accounts/models/kelpie/stake/"])
def test_forms_are_not_sent_by_get(owner: Client, address: str) -> None:
    assert owner.get(address).status_code == 405


def test_a_form_without_its_token_is_refused_in_words(open_round: Round) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="owner_of_kelpie"))

    answer = client.post("/accounts/models/kelpie/stake/", {"points": "1", "direction": "put", "key": "x"})

    assert answer.status_code == 403
    assert b"This form has grown too old" in answer.content
