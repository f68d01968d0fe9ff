"""A contributor's view of Regatta: plain HTTP, nothing else."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import requests

RETRY_SECONDS = 0.25
PATIENCE_SECONDS = 60.0


class Refused(Exception):
    """The site refused a request; the message is the site's own."""


@dataclass
class Client:
    """One contributor's connection; waits and tries again while the site restarts."""

    url: str
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self, method: str, path: str, *, accepted: tuple[int, ...] = (200, 201), **kwargs: Any
    ) -> requests.Response:
        """Send one request; a site that does not answer is asked again for a minute."""
        headers = kwargs.pop("headers", {}) | ({"Authorization": f"Token {self.token}"} if self.token else {})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.session.request(method, self.url + path, headers=headers, timeout=30, **kwargs)
            except requests.ConnectionError:
                answer = None
            if answer is not None and answer.status_code < 500:
                break
            if time.monotonic() > deadline:
                raise Refused(f"{path}: no good answer within {PATIENCE_SECONDS:.0f} s")
            time.sleep(RETRY_SECONDS)
        if answer.status_code not in accepted:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        return answer

    def sign_up(self, username: str, password: str) -> None:
        """Open an account (one that exists already is kept) and take an API key."""
        person = {"username": username, "email": f"{username}@example.org", "password": password}
        self.call("POST", "/api/v1/accounts/", json=person, accepted=(200, 201, 409))
        key = self.call(
            "POST", "/api/v1/keys/", json={"username": username, "password": password, "name": "fleet"}
        ).json()
        self.token = f"{key['public_id']}${key['secret']}"

    def create_model(self, tournament: str, name: str) -> None:
        """Open a slot for a model; one of ours that exists already is kept."""
        self.call("POST", "/api/v1/models/", json={"tournament": tournament, "name": name}, accepted=(200, 201, 409))

    def stake(self, model: str, points: int) -> None:
        """Put points behind a model, once however often it is asked."""
        key = {"Idempotency-Key": f"{model}-first-stake"}
        self.call("POST", f"/api/v1/models/{model}/stake/", json={"points": str(points)}, headers=key)

    def publishes(self, tournament: str) -> bool:
        """Whether the tournament's files are there."""
        path = f"/api/v1/tournaments/{tournament}/files/features.json"
        return self.call("GET", path, accepted=(200, 404)).status_code == 200

    def open_round(self, tournament: str) -> dict[str, Any] | None:
        """The round that takes submissions now, or None between rounds."""
        rounds = self.call("GET", f"/api/v1/tournaments/{tournament}/rounds/?status=open").json()["results"]
        return rounds[-1] if rounds else None

    def file(self, tournament: str, name: str) -> bytes:
        """One of the tournament's public files."""
        return self.call("GET", f"/api/v1/tournaments/{tournament}/files/{name}").content

    def table(self, tournament: str, name: str) -> pd.DataFrame:
        """One of the tournament's Parquet files as a table."""
        return pd.read_parquet(io.BytesIO(self.file(tournament, name)))

    def submit(self, model: str, number: int, body: bytes, filename: str) -> dict[str, Any]:
        """Upload predictions; a refusal is an exception with the site's faults."""
        answer = self.call(
            "POST",
            f"/api/v1/submissions/?model={model}&round={number}",
            data=body,
            headers={"Content-Type": "application/octet-stream", "X-Filename": filename},
        ).json()
        if answer["status"] == "REJECTED":
            raise Refused(f"{model}, round {number}: {answer['faults']}")
        return dict(answer)
