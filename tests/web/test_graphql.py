"""The GraphQL address: always 200, never too much work, never another's secrets."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import graphql
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from regatta.accounts.models import ApiKey, User
from regatta.api.numerapi import rounds
from regatta.api.numerapi.schema import MAX_ALIASES, schema
from regatta.api.numerapi.values import points
from regatta.rounds.models import Round, Tournament
from regatta.scores.models import Score
from regatta.submissions.models import ContributedModel, Submission
from regatta.webhooks.models import Webhook
from tests.flows import seas
from tests.web.graphql import CREATE, UPLOAD_AUTH, Asker

pytestmark = pytest.mark.django_db
ROUNDS = "query($t: Int, $n: Int) { rounds(tournament: $t, number: $n) { number openTime closeStakingTime } }"
ANYONE = Asker()


@pytest.fixture
def ada(opened: Tournament) -> Asker:
    return Asker.of("owner_of_kelpie")


# --- always 200


@pytest.mark.parametrize(
    "body",
    ["{", "[]", "null", {"query": 7}, {"variables": {}}, {"query": "{", "variables": None},
     {"query": "{ nothing }"}, {"query": "{ rounds(tournament: \"8\") { number } }"}, {"query": ""},
     {"query": "{ rounds { number } }", "variables": [1]}, {"query": "query a { __typename }", "operationName": "b"},
     {"query": "query($a: String!) { dataset(filename: $a) }", "variables": {"a": "\u0000"}},
     {"query": "subscription { rounds { number } }"}, {"query": "{ rounds { number } }", "operationName": 3}],
)  # fmt: skip
def test_whatever_is_wrong_is_told_in_one_form(body: Any, opened: Tournament) -> None:
    answer = ANYONE.post(body)

    assert answer.status_code == 200
    assert answer.json()["errors"][-1]["message"]


def test_variables_may_be_null(opened: Tournament) -> None:
    answer = ANYONE.post({"query": "{ rounds { number } }", "variables": None})

    assert answer.json() == {"data": {"rounds": [{"number": 1}]}}


@pytest.mark.parametrize("path", ["/graphql/", "/graphql"])
def test_the_address_never_redirects_and_needs_no_csrf_token(path: str, opened: Tournament) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(path, json.dumps({"query": "{ __typename }"}), content_type="application/json")

    assert answer.json() == {"data": {"__typename": "Query"}}


def test_plain_http_is_refused_without_a_redirect_where_https_is_demanded(settings: Any, opened: Tournament) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert "https" in ANYONE.refusal("{ __typename }")


def test_the_schema_can_be_read(db: None) -> None:
    answer = Client().get("/graphql/")

    assert answer["Content-Type"].startswith("text/plain")
    assert graphql.build_schema(answer.content.decode()).query_type is not None


def test_what_nobody_foresaw_is_logged_and_hidden(
    opened: Tournament, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(rounds, "round_answer", fail)

    told = ANYONE.refusal("{ rounds { number } }")

    assert told == "something failed here; it is logged, please try again"
    assert "secret of the house" in caplog.text


# --- keys and scopes


def test_a_wrong_key_is_refused_even_where_none_is_needed(opened: Tournament) -> None:
    assert "no valid key" in Asker("foo$bar").refusal("{ rounds { number } }")


def test_a_revoked_key_is_refused(ada: Asker) -> None:
    ApiKey.objects.get(public_id=ada.token.partition("$")[0]).revoke(timezone.now())

    assert "no valid key" in ada.refusal("{ account { username } }")


PRIVATE = {
    "{ account { username } }": "read",
    "{ model { name } }": "read",
    "{ submissions { id } }": "read",
    '{ submissionDownloadAuth(id: "1") { url } }': "read",
    '{ diagnostics(modelId: "kelpie") { status } }': "read",
    "{ pendingModelPayouts(tournament: 8) { actual { payoutNmr } } }": "read",
    "{ computePickleDataVersions { id } }": "read",
    "{ computePickleDockerImages { id } }": "read",
    "{ v3StakeConfig { address } }": "read",
    '{ v3StakeRound(roundId: "1") { state } }': "read",
    '{ v3StakeAuth(submissionId: "1" staker: "x" maxAmount: "1") { nonce } }': "read",
    '{ v3StakeClaim(roundId: "1" modelId: "1" staker: "x") { proof } }': "read",
    '{ submission_upload_auth(filename: "a" tournament: 8) { url } }': "submit",
    '{ submissionUploadAuth(filename: "a" tournament: 8) { url } }': "submit",
    '{ submissionUploadSignalsAuth(filename: "a" tournament: 8) { url } }': "submit",
    '{ diagnosticsUploadAuth(filename: "a" tournament: 8) { url } }': "submit",
    '{ computePickleUploadAuth(filename: "a") { url } }': "submit",
    'mutation { create_submission(filename: "a" tournament: 8) { id } }': "submit",
    'mutation { createSubmission(filename: "a" tournament: 8) { id } }': "submit",
    'mutation { createSignalsSubmission(filename: "a") { id } }': "submit",
    'mutation { createDiagnostics(filename: "a" tournament: 8) { id } }': "submit",
    'mutation { createComputePickleUpload(filename: "a" tournament: 8) { id } }': "submit",
    'mutation { createModel(name: "new_boat" tournament: 8) { id } }': "manage",
    'mutation { setUserBio(value: "a") }': "manage",
    'mutation { setUserLink(linkUrl: "https://a.org") }': "manage",
    'mutation { setSubmissionWebhook(modelId: "kelpie") }': "manage",
    'mutation { triggerModelWebhook(modelId: "kelpie") }': "manage",
    'mutation { v2ChangeStake(value: "1" type: "increase" tournamentNumber: 8) { status } }': "manage",
    "mutation { releaseStake(drain: true) { status } }": "manage",
}
PUBLIC = {
    "listDatasets", "dataset", "rounds", "pipelineStatus", "accountProfile", "v3UserProfile", "v2SignalsProfile",
    "submissionScores", "v2RoundModelPerformances", "v2Leaderboard", "signalsLeaderboard",
    "cryptosignalsLeaderboard", "accountLeaderboard",
}  # fmt: skip


@pytest.mark.parametrize("query", PRIVATE)
def test_a_private_field_needs_a_key_with_its_scope(query: str, opened: Tournament) -> None:
    scope = PRIVATE[query]
    others = tuple({"read", "submit", "manage"} - {scope})

    assert "no valid key" in ANYONE.refusal(query)
    assert f"may not {scope}" in Asker.of("owner_of_kelpie", others).refusal(query)


def test_every_field_is_either_public_or_tried_without_a_key() -> None:
    known = graphql.build_schema(schema.as_str())
    fields = {name for root in (known.query_type, known.mutation_type) if root for name in root.fields}
    tried = {
        selected.name.value
        for query in PRIVATE
        for definition in graphql.parse(query).definitions
        for selected in definition.selection_set.selections  # type: ignore[attr-defined]
    }

    assert fields == tried | PUBLIC


# --- nobody sees another's


OTHERS = [
    'query { model(modelId: "driftwood") { name } }',
    'query { submissions(modelId: "driftwood") { id } }',
    'query { diagnostics(modelId: "driftwood") { status } }',
    'query { submission_upload_auth(filename: "a" tournament: 8 modelId: "driftwood") { url } }',
    'query { diagnosticsUploadAuth(filename: "a" tournament: 8 modelId: "driftwood") { url } }',
    'mutation { create_submission(filename: "a" tournament: 8 modelId: "driftwood") { id } }',
    'mutation { setUserBio(value: "a" modelId: "driftwood") }',
    'mutation { setUserLink(linkUrl: "https://a.org" modelId: "driftwood") }',
    'mutation { setSubmissionWebhook(modelId: "driftwood") }',
    'mutation { v2ChangeStake(value: "1" type: "decrease" tournamentNumber: 8 modelId: "driftwood") { status } }',
    'mutation { releaseStake(drain: true modelId: "driftwood") { status } }',
]


@pytest.mark.parametrize("query", OTHERS)
def test_what_is_anothers_is_not_there(query: str, ada: Asker) -> None:
    assert "you have no model 'driftwood'" in ada.refusal(query)


def test_no_type_has_a_field_for_what_stays_hidden() -> None:
    text = schema.as_str().lower()

    assert [word for word in ("password", "secret", "hash ", "valuessha", "panel", "isstaff") if word in text] == []


def test_a_profile_tells_no_address_of_its_owner(opened: Tournament) -> None:
    email = User.objects.get(username="owner_of_kelpie").email
    query = '{ accountProfile(username: "owner_of_kelpie") { username models { id name displayName } } }'

    answer = ANYONE.ask(query)

    assert [one["name"] for one in answer["accountProfile"]["models"]] == ["kelpie"]
    assert email not in json.dumps(answer)


def test_a_score_of_a_later_day_is_not_out_yet(opened: Tournament) -> None:
    model, round = ContributedModel.objects.get(name="kelpie"), seas.first(opened)
    for day, known_at in ((1, opened.now()), (2, round.resolves_at)):
        Score.objects.create(round=round, model=model, day=day, as_of=round.as_of, known_at=known_at, corr=0.1 * day)

    scores = ANYONE.ask('{ submissionScores(modelId: "kelpie") { day value } }')["submissionScores"]

    assert scores == [{"day": 1, "value": 0.1}]


# --- limits


def test_a_deep_query_is_refused(ada: Asker) -> None:
    query = "{ account { models { submissions { round { roundScoreConfigs { name } } } } } }"
    deeper = "query { account { models { submissions { round { roundScoreConfigs { __typename } } } } } ...F } "

    ada.ask(query)
    assert ada.refusal(deeper + "fragment F on Query { account { models { submissions { nothing } } } }")


def test_many_aliases_are_refused(opened: Tournament) -> None:
    query = "{" + " ".join(f"a{n}: listDatasets" for n in range(MAX_ALIASES + 1)) + "}"

    assert "aliases" in ANYONE.refusal(query)


def test_a_long_query_is_refused(opened: Tournament) -> None:
    assert "token" in ANYONE.refusal("{" + " listDatasets" * 2000 + "}").lower()


def test_a_body_beyond_the_limit_is_refused(opened: Tournament) -> None:
    assert "limit" in ANYONE.refusal("{ listDatasets }" + " " * 70_000)


def test_introspection_cannot_be_nested_without_end(opened: Tournament) -> None:
    query = "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }"

    assert "introspection" in ANYONE.refusal(query).lower()


def test_the_account_asks_no_query_for_each_model(ada: Asker) -> None:
    round, owner = Round.objects.get(number=1), User.objects.get(username="owner_of_kelpie")
    inner = "submissions { id selected round { number tournament } } v2Stake { status }"
    query = "{ account { models { name tournament " + inner + " } } }"

    ada.ask(query)  # the first use of a key is written down

    counts = []
    for number in range(3):
        model = ContributedModel.objects.create(tournament=round.tournament, owner=owner, name=f"boat_{number}")
        Submission.objects.create(model=model, round=round, size=1, received_at=timezone.now(), filename="a.csv")
        with CaptureQueriesContext(connection) as asked:
            ada.ask(query)
        counts.append(len(asked))

    assert len(set(counts)) == 1
    assert counts[0] <= 12


# --- which tournament, which round, which model


def test_the_current_round_is_told_as_seen_from_the_wall_clock(opened: Tournament) -> None:
    told = ANYONE.ask(ROUNDS, t=8, n=0)["rounds"][0]

    now = timezone.now().isoformat()
    assert told["number"] == 1
    assert told["openTime"] < now < told["closeStakingTime"]


def test_between_rounds_there_is_no_current_one(opened: Tournament) -> None:
    Round.objects.update(status=Round.Status.CLOSED)

    assert ANYONE.refusal(ROUNDS, t=8, n=0).startswith("Current round not open for submissions")
    assert "not open" in Asker.of("owner_of_kelpie").refusal(UPLOAD_AUTH, filename="a.csv")


def test_a_number_that_stands_for_no_tournament_says_what_does(opened: Tournament, settings: Any) -> None:
    assert "8 is seas" in ANYONE.refusal(ROUNDS, t=12)
    settings.REGATTA_NUMERAPI = {12: "seas"}
    assert ANYONE.ask(ROUNDS, t=12)["rounds"][0]["number"] == 1
    assert "12 is seas" in ANYONE.refusal(ROUNDS, t=8)


def test_with_several_models_one_must_be_named(ada: Asker, opened: Tournament) -> None:
    owner = User.objects.get(username="owner_of_kelpie")
    ContributedModel.objects.create(tournament=opened, owner=owner, name="second_boat")

    assert "several models" in ada.refusal(CREATE, filename="a.csv")


@pytest.mark.parametrize(
    ("filename", "served"),
    [("v1.0/live.parquet", "live_00001.parquet"), ("live.parquet", "live_00001.parquet"),
     ("v1.0/train.parquet", "train.parquet"), ("signals/v1.0/live.parquet", "signals_00001.parquet"),
     ("crypto/v1.0/live_00001.parquet", "crypto_00001.parquet")],
)  # fmt: skip
def test_a_path_leads_to_the_file_of_the_round(filename: str, served: str, opened: Tournament) -> None:
    url = ANYONE.ask("query($f: String!) { dataset(filename: $f) }", f=filename)["dataset"]

    assert url == f"http://testserver/api/v1/tournaments/seas/files/{served}"
    assert Client().get(url.partition("testserver")[2]).status_code == 200


@pytest.mark.parametrize(
    "filename", ["prices.npz", "v1.0/ids.key", "v0.9/train.parquet", "../train.parquet", "", "a/b"]
)
def test_what_is_no_public_file_does_not_exist(filename: str, opened: Tournament) -> None:
    assert "does not exist" in ANYONE.refusal("query($f: String!) { dataset(filename: $f) }", f=filename)


def test_a_model_is_opened_and_its_name_taken_once(ada: Asker) -> None:
    query = "mutation($n: String!) { createModel(name: $n tournament: 8) { id name tournament } }"

    made = ada.ask(query, n="new_boat")["createModel"]

    assert ContributedModel.objects.get(pk=made["id"]).owner.username == "owner_of_kelpie"
    assert (made["name"], made["tournament"]) == ("new_boat", 8)
    assert "exists" in ada.refusal(query, n="new_boat")
    assert ada.refusal(query, n="Bad Name")


def test_a_link_must_lead_to_the_web(ada: Asker) -> None:
    query = "mutation($u: String!) { setUserLink(linkUrl: $u) }"

    assert ada.refusal(query, u="javascript:alert(1)")
    ada.ask(query, u="https://example.org/")
    assert 'href="https://example.org/"' in Client().get("/models/kelpie/").content.decode()


def test_a_negative_page_is_refused(opened: Tournament) -> None:
    assert "negative" in ANYONE.refusal("{ v2Leaderboard(limit: -1, offset: 0) { rank } }")


@pytest.mark.parametrize("value", ["-1", "0", "many", "NaN", "1e-7"])
def test_no_odd_number_of_points_is_moved(value: str, ada: Asker) -> None:
    query = 'mutation($v: String!) { v2ChangeStake(value: $v type: "increase" tournamentNumber: 8) { status } }'

    assert ada.refusal(query, v=value)


def test_a_models_webhook_is_set_triggered_and_removed(ada: Asker) -> None:
    query = 'mutation($u: String) { setSubmissionWebhook(modelId: "kelpie" newSubmissionWebhook: $u) }'
    trigger = 'mutation { triggerModelWebhook(modelId: "kelpie") }'

    assert ada.ask(query, u="https://example.org/hook") == {"setSubmissionWebhook": "true"}
    hook = Webhook.objects.get()
    assert ada.ask(trigger) == {"triggerModelWebhook": str(hook.deliveries.get().name)}
    assert "no message may go to this address" in ada.refusal(query, u="https://127.0.0.1/hook")
    assert ada.ask(query, u=None) == {"setSubmissionWebhook": "true"}
    assert "has no webhook" in ada.refusal(trigger)


@pytest.mark.parametrize(("amount", "text"), [("-0.000000", "0.000000"), ("-5.100000", "-5.100000"), ("7", "7")])
def test_points_are_told_exactly_and_nothing_without_a_sign(amount: str, text: str) -> None:
    assert points(Decimal(amount)) == text
