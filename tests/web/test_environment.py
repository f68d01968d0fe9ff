"""A wrong environment is refused by name, with what was found and an example."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured

from regatta.environment import (
    ROOT,
    Environment,
    read_database,
    read_email,
    read_hosts,
    read_numerapi,
    read_predictors,
    read_storage,
    read_var,
    refuse_problems,
    secret_key,
)
from regatta.reachable import unreachable


def test_an_empty_environment_has_no_problems(tmp_path: Path) -> None:
    env = Environment({})

    env.refuse_unknown()
    storage = read_storage(env, tmp_path)

    assert env.problems == []
    assert storage == tmp_path.as_uri()


def test_a_foreign_scheme_is_refused_without_repeating_its_password() -> None:
    env = Environment({"DATABASE_URL": "mysql://root:hunter2@db/regatta"})

    env.url("DATABASE_URL", ("postgres", "postgresql"), "E001", "postgresql://user@host/regatta")

    message = str(env.problems[0])
    assert "DATABASE_URL is 'mysql'" in message
    assert "hunter2" not in message


def test_a_misspelt_name_is_refused() -> None:
    env = Environment({"REGATTA_DEVISE": "cuda"})

    env.refuse_unknown()

    assert env.problems[0].name == "REGATTA_DEVISE"


def test_numbers_of_the_client_stand_for_tournaments() -> None:
    env = Environment({"REGATTA_NUMERAPI": "8=real, 11 = simulated"})

    assert read_numerapi(env) == {8: "real", 11: "simulated"}
    assert env.problems == []


@pytest.mark.parametrize("text", ["8", "9=real", "8=", "8=real,11=real", "8=real,8=other", "real=8"])
def test_numbers_that_the_client_does_not_know_are_refused(text: str) -> None:
    env = Environment({"REGATTA_NUMERAPI": text})

    assert read_numerapi(env) == {}
    assert env.problems[0].name == "REGATTA_NUMERAPI"


@pytest.mark.parametrize("url", ["relative/path", "file://host/folder", "s3://", "ftp://host/folder"])
def test_a_storage_that_is_neither_folder_nor_bucket_is_refused(url: str, tmp_path: Path) -> None:
    env = Environment({"STORAGE_URL": url})

    storage = read_storage(env, tmp_path)

    assert env.problems[0].number == "regatta.E003"
    assert storage == tmp_path.as_uri()


def test_a_database_whose_port_is_no_number_is_refused_without_repeating_its_password() -> None:
    env = Environment({"DATABASE_URL": "postgres://a:hunter2@host:notaport/db"})

    found = read_database(env, "postgres://postgres@/regatta")

    assert found["NAME"] == "regatta"
    assert "hunter2" not in str(env.problems[0])
    assert "DATABASE_URL is no valid address" in str(env.problems[0])


@pytest.mark.parametrize("url", ["redis://[::1", "redis://host:port/0"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    env = Environment({"REDIS_URL": url})

    assert env.url("REDIS_URL", ("redis",), "E002", "redis://cache:6379/0") == ""
    assert env.problems[0].name == "REDIS_URL"


def test_a_mail_address_whose_port_is_no_number_is_refused() -> None:
    env = Environment({"EMAIL_URL": "smtp://host:port"})

    assert read_email(env) == {}
    assert env.problems[0].name == "EMAIL_URL"


@pytest.mark.parametrize("value", ["relative", "/proc/nope", __file__])
def test_a_var_that_is_no_folder_is_refused(value: str) -> None:
    env = Environment({"REGATTA_VAR": value})

    read_var(env)

    assert env.problems[0].number == "regatta.E008"


@pytest.mark.parametrize("url", ["file:///proc/nope", f"file://{__file__}"])
def test_a_storage_that_cannot_be_written_to_is_refused(url: str, tmp_path: Path) -> None:
    env = Environment({"STORAGE_URL": url})

    assert read_storage(env, tmp_path) == tmp_path.as_uri()
    assert env.problems[0].number == "regatta.E003"


@pytest.mark.parametrize("host", ["http://x/", "x:80", "a b", "x/y"])
def test_what_is_no_name_of_a_host_is_refused(host: str) -> None:
    env = Environment({"ALLOWED_HOSTS": f"regatta.example.org,{host}"})

    read_hosts(env)

    assert env.problems[0].number == "regatta.E009"


def test_an_unknown_predictor_is_refused_with_the_known_ones() -> None:
    env = Environment({"REGATTA_PREDICTORS": "lightgbm, oracle"})

    assert read_predictors(env) == ("lightgbm", "reptile")
    assert "oracle' (known: lightgbm, mlp, maml, reptile)" in str(env.problems[0])
    assert read_predictors(Environment({"REGATTA_PREDICTORS": "mlp,mlp"})) == ("mlp",)


@pytest.mark.parametrize("host", ["regatta.example.org", ".example.org", "*", "10.0.0.1", "[2001:db8::1]"])
def test_a_site_may_always_ask_itself(host: str) -> None:
    env = Environment({"ALLOWED_HOSTS": host})

    assert {host, "127.0.0.1"} <= set(read_hosts(env))
    assert env.problems == []


def test_a_broker_that_does_not_answer_is_named(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMBEDDED_REDIS, settings.BROKER_NAME = False, "REDIS_URL"
    monkeypatch.setattr("regatta.celery.app", Celery(broker="redis://127.0.0.1:1/0"))

    problems = unreachable()

    assert str(problems[0]).startswith("REDIS_URL is the address of a server that does not answer: ")


@pytest.mark.parametrize(
    ("variables", "arguments", "said"),
    [
        ({"REGATTA_LOG_LEVEL": "LOUD"}, [], "REGATTA_LOG_LEVEL is 'LOUD'"),
        ({"DATABASE_URL": "postgres://a:b@127.0.0.1:1/none", "SECRET_KEY": "x" * 40}, [],
         "DATABASE_URL is the address of a server that does not answer"),


    ],
)  # fmt: skip
def test_serving_ends_with_one_message_and_no_traceback(
    variables: dict[str, str], arguments: list[str], said: str, tmp_path: Path
) -> None:
    surroundings = {
        **os.environ,
        "REGATTA_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "regatta.settings",
        **variables,
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments], cwd=ROOT, env=surroundings, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode > 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mail_address_without_a_host_is_refused() -> None:
    env = Environment({"EMAIL_URL": "smtp://"})

    assert read_email(env) == {}
    assert env.problems[0].number == "regatta.E005"


def test_a_switch_must_say_yes_or_no() -> None:
    env = Environment({"REGATTA_DEBUG": "maybe"})

    assert env.switch("REGATTA_DEBUG") is False
    assert env.problems[0].number == "regatta.E006"


def test_a_secret_is_demanded_beside_a_database_of_ones_own(tmp_path: Path) -> None:
    env = Environment({})

    secret_key(env, tmp_path, required=True)

    assert env.problems[0].number == "regatta.E004"


def test_the_embedded_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = secret_key(Environment({}), tmp_path, required=False)
    second = secret_key(Environment({}), tmp_path, required=False)

    assert first == second
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_serving_stops_with_every_problem_at_once() -> None:
    env = Environment({"REGATTA_DEBUG": "maybe", "REGATTA_DEVISE": "cuda"})
    env.switch("REGATTA_DEBUG")
    env.refuse_unknown()

    with pytest.raises(ImproperlyConfigured, match=r"REGATTA_DEBUG[\s\S]*REGATTA_DEVISE"):
        refuse_problems(env.problems)
