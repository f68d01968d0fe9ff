"""Staff see which code made a selector's state."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from regatta import artifacts
from regatta.ensemble.models import SelectorVersion
from regatta.rounds.models import Tournament
from tournament.selectors.protocol import State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


@pytest.mark.parametrize(("code", "told"), [("", "today&#x27;s code ("), ("0" * 64, "Made by other code (00000000")])
def test_the_page_of_a_selector_says_which_code_made_it(
    sailed: Tournament, client: Client, code: str, told: str
) -> None:
    stored = artifacts.put(State("ridge", {"x": np.ones(1)}, code=code).to_bytes())
    version = SelectorVersion.objects.create(
        tournament=sailed, family="ridge", status="READY", state_sha256=stored, trained_through=990 + len(code)
    )
    client.force_login(get_user_model().objects.get(username="harbourmaster"))

    page = client.get(f"/admin/ensemble/selectorversion/{version.pk}/change/")

    assert page.status_code == 200
    assert told in page.content.decode()
