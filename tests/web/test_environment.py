"""A wrong environment is refused by name, with what was found and an example."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from regatta.environment import Environment, read_email, read_storage, refuse_problems, secret_key


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


@pytest.mark.parametrize("url", ["relative/path", "file://host/folder", "s3://", "ftp://host/folder"])
def test_a_storage_that_is_neither_folder_nor_bucket_is_refused(url: str, tmp_path: Path) -> None:
    env = Environment({"STORAGE_URL": url})

    storage = read_storage(env, tmp_path)

    assert env.problems[0].number == "regatta.E003"
    assert storage == tmp_path.as_uri()


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
