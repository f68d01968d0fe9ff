"""Webhooks: signed, tried again with growing pauses, logged, replayed, and never sent into a private network."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import Client

from regatta.accounts.models import ApiKey, User
from regatta.environment import ROOT
from regatta.jobs import flow
from regatta.jobs.models import Job
from regatta.jobs.pauses import PAUSES
from regatta.notifications.fanning import tell
from regatta.notifications.models import Event
from regatta.notifications.telling import announce
from regatta.rounds.models import Tournament
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel
from regatta.webhooks import addresses
from regatta.webhooks.addresses import is_outside, parsed, resolved
from regatta.webhooks.delivering import EVENTS, MOST, create, deliver, replay, sweep, trigger
from regatta.webhooks.models import Delivery, Webhook
from regatta.webhooks.sending import headers, post, signature
from tests.flows import seas
from tournament.errors import BadInput
from workers.running import run_job

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Receiver(HTTPServer):
    """A receiver on this machine that answers what it is told to, and remembers what came."""

    status, pause = 200, 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers), body))
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.REGATTA_WEBHOOKS_PRIVATE = True
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tournament(opened: Tournament) -> Tournament:
    return Tournament.objects.get(pk=opened.pk)


@pytest.fixture
def owner(tournament: Tournament) -> User:
    return User.objects.get(username="owner_of_kelpie")


@pytest.fixture
def token(owner: User) -> dict[str, str]:
    key, secret = ApiKey.issue(owner, "test")
    return {"Authorization": f"Token {key.public_id}${secret}"}


def work() -> None:
    flow.run_all("io", "this process", run_job, clock=lambda: NOW)


def announced(tournament: Tournament, owner: User, url: str) -> Delivery:
    """A webhook that was promised the opening of round 1."""
    create(owner, url, ["round.opened"])
    tell(Event.OPENED, {"round": tournament.rounds.get(number=1).pk}, NOW)
    return Delivery.objects.get()


def test_an_opening_is_told_with_a_signature_that_holds(
    tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    hook = create(owner, receiver.url, ["round.opened"])

    announce(tournament.rounds.get(number=1), Event.OPENED)
    work()

    (head, body), told = receiver.came[0], json.loads(receiver.came[0][1])
    expected = hmac.new(hook.secret.encode(), f"{head['X-Regatta-Timestamp']}.".encode() + body, hashlib.sha256)
    assert head["X-Regatta-Signature"] == f"sha256={expected.hexdigest()}"
    assert (told["event"], told["round"], told["models"]) == ("round.opened", 1, ["kelpie"])
    assert head["X-Regatta-Delivery"] == told["id"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.answer) == ("DELIVERED", 200, "thank you")
    assert len(receiver.came) == 1


def test_the_lines_of_the_docs_tell_our_messages_from_others() -> None:
    """The function in docs/api.md."""
    shown: dict[str, Any] = {}
    exec((ROOT / "docs" / "api.md").read_text().partition("```python\n")[2].partition("```")[0], shown)
    ours = headers("a secret", event="round.opened", name="1", body=b"{}", now=NOW)

    assert shown["is_regattas"](ours, b"{}", "a secret")
    assert not shown["is_regattas"](ours, b"{ }", "a secret")
    assert not shown["is_regattas"](ours, b"{}", "another")


def test_a_signature_is_of_time_and_body() -> None:
    made = {signature("s", "1", b"a"), signature("s", "2", b"a"), signature("s", "1", b"b"), signature("t", "1", b"a")}

    assert len(made) == 4
    assert signature("s", "1", b"a") == hmac.new(b"s", b"1.a", "sha256").hexdigest()


def test_secrets_differ_and_are_not_in_the_database(owner: User) -> None:
    first, second = (create(owner, "https://example.org/a", EVENTS) for _ in range(2))

    assert first.secret != second.secret
    assert first.secret not in str(Webhook.objects.values())


def test_an_event_told_twice_is_delivered_once(tournament: Tournament, owner: User, receiver: Receiver) -> None:
    delivery = announced(tournament, owner, receiver.url)
    tell(Event.OPENED, {"round": tournament.rounds.get(number=1).pk}, NOW)
    work()

    assert Delivery.objects.count() == len(receiver.came) == 1
    assert deliver(delivery.pk, 0, NOW) == "done before"


def test_a_failure_is_tried_again_after_growing_pauses_and_given_up(
    tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    delivery, at, receiver.status = announced(tournament, owner, receiver.url), NOW, 500

    for tries in range(len(PAUSES) + 1):
        deliver(delivery.pk, tries, at)
        delivery.refresh_from_db()
        assert len(receiver.came) == tries + 1
        if tries < len(PAUSES):
            assert (delivery.state, delivery.due_at) == ("WAITING", at + PAUSES[tries])
            at += PAUSES[tries]

    assert (delivery.state, delivery.status, delivery.due_at) == ("FAILED", 500, None)
    assert list(PAUSES) == sorted(PAUSES)


def test_the_sweep_asks_when_the_pause_is_over_and_not_before(
    tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    delivery, receiver.status = announced(tournament, owner, receiver.url), 503
    deliver(delivery.pk, 0, NOW)

    early, due = sweep(NOW + PAUSES[0] - timedelta(seconds=1)), sweep(NOW + PAUSES[0])
    again = sweep(NOW + PAUSES[0])

    assert (early, due, again) == (0, 1, 1)
    assert Job.objects.filter(kind="deliver", key=f"deliver:{delivery.pk}:1").count() == 1


def test_an_ended_delivery_is_replayed_under_the_same_name(
    tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    delivery = announced(tournament, owner, receiver.url)
    assert not replay(delivery, NOW)
    work()

    assert replay(Delivery.objects.get(), NOW)
    work()

    names = {head["X-Regatta-Delivery"] for head, _ in receiver.came}
    assert (len(receiver.came), names) == (2, {str(delivery.name)})
    assert Delivery.objects.get().state == "DELIVERED"


def test_redirects_are_not_followed(tournament: Tournament, owner: User, receiver: Receiver) -> None:
    delivery, receiver.status = announced(tournament, owner, receiver.url), 302

    deliver(delivery.pk, 0, NOW)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.status, len(receiver.came)) == ("WAITING", 302, 1)


def test_a_receiver_that_is_gone_is_not_asked_again(tournament: Tournament, owner: User, receiver: Receiver) -> None:
    delivery, receiver.status = announced(tournament, owner, receiver.url), 410

    assert deliver(delivery.pk, 0, NOW) == "FAILED"


def test_a_removed_webhook_gets_nothing(tournament: Tournament, owner: User, receiver: Receiver) -> None:
    delivery = announced(tournament, owner, receiver.url)
    Webhook.objects.update(is_active=False)

    assert deliver(delivery.pk, 0, NOW) == "FAILED"
    assert receiver.came == []


def test_a_slow_receiver_is_left(receiver: Receiver) -> None:
    receiver.pause = 0.6
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        post(parsed(receiver.url), b"{}", headers("s", event="e", name="n", body=b"{}", now=NOW), seconds=0.2)

    assert time.monotonic() - began < 0.5


def test_a_receiver_that_answers_drop_by_drop_is_left(settings: Any) -> None:
    settings.REGATTA_WEBHOOKS_PRIVATE = True
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        stream, _ = server.accept()
        with stream:
            for _ in range(20):
                try:
                    stream.sendall(b"H")
                except OSError:
                    return
                time.sleep(0.05)

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(TimeoutError):
        post(parsed(f"http://127.0.0.1:{server.getsockname()[1]}/"), b"{}", {}, seconds=0.3)
    thread.join()
    server.close()


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "ff02::1", "198.18.0.1",
    ],
)  # fmt: skip
def test_private_numbers_are_inside(number: str) -> None:
    assert not is_outside(number)


@pytest.mark.parametrize("number", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_numbers_are_outside(number: str) -> None:
    assert is_outside(number)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/",
        "https://0x7f.1/", "https://127.1/", "https://user:pw@example.org/", "https://example.org/#part", "ftp://e.org",
        "file:///etc/passwd", "https://", "https://example.org:99999/", "https://exa mple.org/", "https://a/\r\nX: y",
        "https://metadata.google.internal/", "https://169.254.169.254/latest", "https://" + "a" * 600, "",
        "https://[::ffff:10.0.0.1]/", "https://host.localdomain/",
    ],
)  # fmt: skip
def test_addresses_that_lead_inside_or_nowhere_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="no message may go to this address"):
        parsed(url)


def test_a_name_that_leads_inside_is_refused_when_it_is_sent(
    tournament: Tournament, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = announced(tournament, owner, "https://rebinding.example.org/")
    answers = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *args, **kwargs: answers)

    assert deliver(delivery.pk, 0, NOW) == "FAILED"

    delivery.refresh_from_db()
    assert "private network" in delivery.answer


def test_the_message_goes_to_the_number_that_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", ("8.8.8.8", 443))])

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("regatta.webhooks.sending.socket.create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post(parsed("https://example.org/hook"), b"", {})

    assert asked == [("8.8.8.8", 443)]
    assert resolved(parsed("https://example.org/")) == "8.8.8.8"


def test_an_owner_has_at_most_so_many(owner: User) -> None:
    for _ in range(MOST):
        create(owner, "https://example.org/", EVENTS)

    with pytest.raises(BadInput, match="you have 10 webhooks"):
        create(owner, "https://example.org/", EVENTS)


def test_rest_makes_lists_and_removes(client: Client, token: dict[str, str]) -> None:
    asked: dict[str, Any] = {"content_type": "application/json", "headers": token}
    wrong = client.post("/api/v1/webhooks/", {"url": "https://10.0.0.1/"}, **asked)
    odd = client.post("/api/v1/webhooks/", {"url": "https://example.org/", "events": ["pigeon"]}, **asked)
    made = client.post("/api/v1/webhooks/", {"url": "https://example.org/"}, **asked).json()

    listed = client.get("/api/v1/webhooks/", headers=token).json()["results"]
    client.delete(f"/api/v1/webhooks/{made['id']}/", headers=token)

    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "webhook_address")
    assert (odd.status_code, odd.json()["error"]["code"]) == (422, "webhook_events")
    assert made["events"] == list(EVENTS)
    assert listed == [made]
    assert client.get("/api/v1/webhooks/", headers=token).json()["results"] == []


def test_rest_shows_deliveries_and_sends_again(
    client: Client, token: dict[str, str], tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    delivery = announced(tournament, owner, receiver.url)
    place = f"/api/v1/deliveries/{delivery.pk}/replay/"
    waiting = client.post(place, headers=token)
    work()

    again = client.post(place, headers=token)
    work()
    log = client.get(f"/api/v1/webhooks/{delivery.webhook_id}/deliveries/", headers=token).json()["results"]

    assert (waiting.status_code, again.status_code) == (409, 202)
    assert [(one["state"], one["status"], one["attempt"]) for one in log] == [("DELIVERED", 200, 2)]


def test_nobody_elses_webhooks_are_there(client: Client, tournament: Tournament, token: dict[str, str]) -> None:
    stranger = User.objects.get(username="owner_of_northwind")
    hook = create(stranger, "https://example.org/", EVENTS)
    tell(Event.OPENED, {"round": tournament.rounds.get(number=1).pk}, NOW)
    delivery = Delivery.objects.get()
    client.force_login(User.objects.get(username="owner_of_kelpie"))

    places = [
        f"/api/v1/webhooks/{hook.pk}/",
        f"/api/v1/webhooks/{hook.pk}/deliveries/",
        f"/accounts/webhooks/{hook.pk}/",
    ]
    assert [client.get(place, headers=token).status_code for place in places] == [404, 404, 404]
    assert client.post(f"/api/v1/deliveries/{delivery.pk}/replay/", headers=token).status_code == 404
    assert client.post(f"/accounts/deliveries/{delivery.pk}/again/").status_code == 404
    client.post(f"/accounts/webhooks/{hook.pk}/remove/")
    client.delete(f"/api/v1/webhooks/{hook.pk}/", headers=token)
    hook.refresh_from_db()
    assert hook.is_active


def test_pages_make_show_and_remove_a_webhook(client: Client, owner: User) -> None:
    client.force_login(owner)

    wrong = client.post("/accounts/webhooks/", {"url": "https://localhost/", "events": EVENTS}, follow=True)
    made = client.post("/accounts/webhooks/", {"url": "https://example.org/x", "events": ["round.opened"]}, follow=True)
    account = client.get("/accounts/").content.decode()
    hook = Webhook.objects.get()
    client.post(f"/accounts/webhooks/{hook.pk}/remove/")

    assert "lies inside a private network" in wrong.content.decode()
    assert hook.secret in made.content.decode()
    assert f'href="/accounts/webhooks/{hook.pk}/"' in account
    assert "https://example.org/x" not in client.get("/accounts/").content.decode()


def test_the_webhook_of_a_model_is_told_as_numerapis_nodes_expect(
    tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    model = ContributedModel.objects.get(name="kelpie")
    create(owner, "https://example.org/before", ["round.opened"], model=model)
    hook = create(owner, receiver.url, ["round.opened"], model=model)

    tell(Event.OPENED, {"round": tournament.rounds.get(number=1).pk}, NOW)
    triggered = trigger(hook, NOW)
    work()

    told = [json.loads(body) for _, body in receiver.came]
    assert [(one["modelId"], one["roundNumber"]) for one in told] == [(str(model.pk), 1), (str(model.pk), None)]
    assert told[1]["triggerId"] == str(triggered.name)
    assert Webhook.objects.filter(model=model, is_active=True).get() == hook


def test_the_log_shows_what_was_submitted_in_answer(
    client: Client, tournament: Tournament, owner: User, receiver: Receiver
) -> None:
    model = ContributedModel.objects.get(name="kelpie")
    triggered = trigger(create(owner, receiver.url, ["round.opened"], model=model), NOW)
    round = tournament.rounds.get(number=1)
    data = seas.predictions("kelpie", round).to_csv(index=False).encode()
    other = ContributedModel.objects.get(name="northwind")  # a stranger's, that names the same trigger
    submission, _ = (
        receive(one, round, data, filename="a.csv", source="numerapi", now=NOW, trigger_id=str(triggered.name))
        for one in (model, other)
    )

    client.force_login(owner)
    page = client.get(f"/accounts/webhooks/{triggered.webhook_id}/").content.decode()

    assert f'<a href="/submissions/{submission.pk}/">answered by kelpie</a>' in page
    assert "northwind" not in page
