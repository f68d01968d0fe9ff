"""Signing up, API keys, and who may touch them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from regatta.accounts.models import ApiKey, User, authenticate_token

pytestmark = pytest.mark.django_db
ADA = {"username": "ada", "email": "Ada@example.org", "password1": "tide-and-wind-9", "password2": "tide-and-wind-9"}


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.org", "tide-and-wind-9")


@pytest.fixture
def eve() -> User:
    return User.objects.create_user("eve", "eve@example.org", "tide-and-wind-9")


def test_a_visitor_signs_up_and_is_logged_in(client: Client) -> None:
    answer = client.post("/accounts/signup/", ADA)

    assert answer.status_code == 302
    assert answer.url == "/accounts/"
    assert User.objects.get().email == "ada@example.org"
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)


def test_a_second_account_of_one_address_is_refused(client: Client, ada: User) -> None:
    answer = client.post("/accounts/signup/", {**ADA, "username": "ada2"})

    assert answer.status_code == 422
    assert User.objects.count() == 1


def test_a_contributor_logs_in_and_out(client: Client, ada: User) -> None:
    entered = client.post("/accounts/login/", {"username": "ada", "password": "tide-and-wind-9"})
    left = client.post("/accounts/logout/")

    assert entered.status_code == 302
    assert left.status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_account_needs_a_login(client: Client) -> None:
    answer = client.get("/accounts/")

    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")


def test_a_new_key_is_shown_once_and_works(client: Client, ada: User) -> None:
    client.force_login(ada)

    client.post("/accounts/keys/", {"name": "laptop"})
    token = client.session["new_key_secret"]["token"]

    key = authenticate_token(token, timezone.now())
    assert key is not None
    assert key.owner == ada
    assert token.split("$")[1] not in key.secret_hash


def test_a_key_with_another_secret_is_refused(ada: User) -> None:
    key, secret = ApiKey.issue(ada, "laptop")

    assert authenticate_token(f"{key.public_id}${secret}x", timezone.now()) is None


def test_a_malformed_token_is_refused() -> None:
    assert authenticate_token("no dollar here", timezone.now()) is None


def test_an_expired_key_is_refused(ada: User) -> None:
    key, secret = ApiKey.issue(ada, "laptop")
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert authenticate_token(f"{key.public_id}${secret}", timezone.now()) is None


def test_the_key_of_a_disabled_contributor_is_refused(ada: User) -> None:
    key, secret = ApiKey.issue(ada, "laptop")
    User.objects.update(is_active=False)

    assert authenticate_token(f"{key.public_id}${secret}", timezone.now()) is None


def test_a_revoked_key_stops_working(client: Client, ada: User) -> None:
    key, secret = ApiKey.issue(ada, "laptop")
    client.force_login(ada)

    client.post(f"/accounts/keys/{key.public_id}/revoke/")

    assert authenticate_token(f"{key.public_id}${secret}", timezone.now()) is None


def test_nobody_revokes_the_key_of_another(client: Client, ada: User, eve: User) -> None:
    key, secret = ApiKey.issue(ada, "laptop")
    client.force_login(eve)

    answer = client.post(f"/accounts/keys/{key.public_id}/revoke/")

    assert answer.status_code == 404
    assert authenticate_token(f"{key.public_id}${secret}", timezone.now()) is not None


def test_revoking_twice_changes_nothing(client: Client, ada: User) -> None:
    key, _ = ApiKey.issue(ada, "laptop")
    client.force_login(ada)
    client.post(f"/accounts/keys/{key.public_id}/revoke/")
    first = ApiKey.objects.get().revoked_at

    client.post(f"/accounts/keys/{key.public_id}/revoke/")

    assert ApiKey.objects.get().revoked_at == first


def test_keys_are_not_made_by_get(client: Client, ada: User) -> None:
    client.force_login(ada)

    assert client.get("/accounts/keys/").status_code == 405


def test_a_form_without_the_csrf_token_is_refused(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)

    assert client.post("/accounts/keys/", {"name": "laptop"}).status_code == 403
