"""A contributor who asks the GraphQL address, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from regatta.accounts.models import SCOPES, ApiKey, User


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends queries with a key, or without one."""

    token: str = ""

    @classmethod
    def of(cls, username: str, scopes: tuple[str, ...] = SCOPES) -> Asker:
        """With a fresh key of that contributor."""
        key, secret = ApiKey.issue(User.objects.get(username=username), "script", scopes)
        return cls(f"{key.public_id}${secret}")

    def post(self, body: Any) -> Any:
        """The whole answer to a body."""
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        client = Client(raise_request_exception=False)
        return client.post("/graphql/", text, content_type="application/json", headers=headers)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data. Fails with the words of an error."""
        answer = self.post({"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def refusal(self, query: str, **variables: Any) -> str:
        """The words of the error that must come, with status 200 as the client needs it."""
        answer = self.post({"query": query, "variables": variables})
        assert answer.status_code == 200
        return str(answer.json()["errors"][-1]["message"])

    def upload(self, data: bytes, filename: str = "mine.csv", model: str | None = None) -> str:
        """Ask for an address and put the file there; the name that the last step needs."""
        auth = self.ask(UPLOAD_AUTH, filename=filename, model=model)["submission_upload_auth"]
        answer = put(auth["url"], data)
        assert answer.status_code == 200, answer.content
        return str(auth["filename"])

    def submit(self, data: bytes, model: str | None = None, trigger: str | None = None) -> str:
        """All three steps; the submission's id."""
        name = self.upload(data, model=model)
        return str(self.ask(CREATE, filename=name, model=model, trigger=trigger)["create_submission"]["id"])


def put(url: str, data: bytes, **headers: str) -> Any:
    """PUT to an address that was given out."""
    parts = urlsplit(url)
    return Client().put(parts.path, data, content_type="application/octet-stream", headers=headers)


UPLOAD_AUTH = """query($filename: String! $model: String) {
    submission_upload_auth(filename: $filename tournament: 8 modelId: $model) { filename url } }"""
CREATE = """mutation($filename: String! $model: String $trigger: String) {
    create_submission(filename: $filename tournament: 8 modelId: $model source: "numerapi" triggerId: $trigger) { id }
}"""
