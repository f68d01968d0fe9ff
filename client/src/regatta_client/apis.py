"""numerapi's clients, speaking to the site that REGATTA_URL names; beside them numerapi itself stays as it is."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import numerapi
from numerapi.utils import post_with_err_handling

from tournament.errors import BadInput, Fault

VARIABLE = "REGATTA_URL"
EXAMPLE = "http://127.0.0.1:8000"


def address() -> str:
    """Where the site's GraphQL is, from REGATTA_URL. Raises BadInput when that is unset or no address."""
    found = os.environ.get(VARIABLE, "").strip().rstrip("/")
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        message = f"{VARIABLE} is {found!r}" if found else f"{VARIABLE} is not set"
        raise BadInput(Fault("no_address", message, f"set it to the site's address, for example {EXAMPLE}"))
    return f"{found.removesuffix('/graphql')}/graphql/"


class _AtRegatta(numerapi.base_api.Api):  # type: ignore[misc]
    """What the three have in common: each asks the address that it found when it was made."""

    def __init__(
        self, public_id: str | None = None, secret_key: str | None = None, verbosity: str = "INFO",
        show_progress_bars: bool = True,
    ) -> None:  # fmt: skip
        """Keys are found as numerapi finds them: given, or NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY."""
        self.address = address()
        super().__init__(public_id, secret_key, verbosity, show_progress_bars)

    def raw_query(
        self, query: str, variables: dict[str, Any] | None = None, authorization: bool = False, *, retries: int = 3,
        delay: int = 5, backoff: int = 2,
    ) -> Any:  # fmt: skip
        """Ask the site. Raises ValueError with what it refused."""
        headers = {"Content-type": "application/json", "Accept": "application/json"}
        if authorization:
            if not self.token:
                raise ValueError("API keys required for this action.")
            headers["Authorization"] = "Token {}${}".format(*self.token)
        body = {"query": query, "variables": variables}
        answer = post_with_err_handling(
            self.address, body, headers, retries=retries, delay=delay, backoff=backoff
        )  # fmt: skip
        if answer and "errors" in answer:
            raise ValueError(self._handle_call_error(answer["errors"]))
        return answer


class NumerAPI(_AtRegatta, numerapi.NumerAPI):  # type: ignore[misc]
    """Tournament 8 of the site."""


class SignalsAPI(_AtRegatta, numerapi.SignalsAPI):  # type: ignore[misc]
    """Tournament 11 of the site."""


class CryptoAPI(_AtRegatta, numerapi.CryptoAPI):  # type: ignore[misc]
    """Tournament 12 of the site."""
