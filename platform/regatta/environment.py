"""What the environment asks for, checked name by name.

A wrong value never stops the import of the settings: it is kept as a `Problem`, so that `manage.py check` shows all of
them at once, and `refuse_problems` stops whatever would serve or work with them.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

KNOWN = {
    "REGATTA_VAR": "/srv/regatta/var",
    "REGATTA_DEBUG": "1",
    "REGATTA_DEVICE": "auto, cpu or cuda",
    "REGATTA_NUMERAPI": "8=real,11=simulated",
    "REGATTA_PREDICTORS": "lightgbm,reptile",
    "REGATTA_HTTPS": "1",
    "REGATTA_TRUSTED_ORIGINS": "https://regatta.example.org",
    "REGATTA_SITE": "https://regatta.example.org",
    "REGATTA_WEBHOOKS_PRIVATE": "1",
    "REGATTA_LOG_LEVEL": "INFO",
    "REGATTA_DURABLE": "1",
    "REGATTA_KEY_RATE": "6000",
    "REGATTA_ANONYMOUS_RATE": "3000",
    "REGATTA_PROXIES": "1",
}
ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE_EXAMPLE = "postgresql://user:password@db.example.org:5432/regatta"
BROKER_EXAMPLE = "redis://cache.example.org:6379/0"
STORAGE_EXAMPLE = "file:///srv/regatta/artifacts or s3://bucket?endpoint=https://s3.example.org"
EMAIL_EXAMPLE = "smtps://user:password@mail.example.org:465"
LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
PREDICTORS = ("lightgbm", "mlp", "maml", "reptile")
"""The platform's own models, of which some answer every round."""
OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")
"""Names by which the site asks itself whether it is ready."""
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_SWITCH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def var_folder() -> Path:
    """Where everything that a running site writes lies: REGATTA_VAR, else var/ beside manage.py."""
    return Path(os.environ.get("REGATTA_VAR", "").strip() or ROOT / "var").absolute()


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong variable: the check's number, what was found, and what would be right."""

    number: str
    name: str
    found: str
    example: str

    def __str__(self) -> str:
        """One line that says what to do."""
        return f"{self.name} is {self.found}; expected something like {self.name}={self.example}"


@dataclass(slots=True)
class Environment:
    """Reads variables and remembers what was wrong with them."""

    variables: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """The variable without blanks around it, or the default when unset or empty."""
        return self.variables.get(name, "").strip() or default

    def listed(self, name: str, default: str = "") -> list[str]:
        """The comma-separated parts of the variable."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def switch(self, name: str, default: bool = False) -> bool:
        """Whether the variable says yes (1, true, yes) or no (0, false, no)."""
        found = self.text(name).lower()
        if found not in _SWITCH:
            self.problem("E006", name, repr(found), "1")
        return _SWITCH.get(found, default) if found else default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """The variable, which must be one of `allowed`."""
        found = self.text(name, default)
        if found in allowed:
            return found
        self.problem("E006", name, repr(found), allowed[0])
        return default

    def number(self, name: str, default: int) -> int:
        """The variable, a whole number from 0 up."""
        found = self.text(name)
        if not found:
            return default
        if found.isascii() and found.isdecimal() and len(found) <= 9:
            return int(found)
        self.problem("E013", name, repr(found), KNOWN[name])
        return default

    def problem(self, number: str, name: str, found: str, example: str) -> None:
        """Keep a fault for the checks; secrets must be left out of `found` by the caller."""
        self.problems.append(Problem(f"regatta.{number}", name, found, example))

    def url(self, name: str, schemes: tuple[str, ...], number: str, example: str) -> str:
        """The variable, whose scheme must be one of `schemes`; empty when unset or wrong."""
        found = self.text(name)
        if not found:
            return ""
        try:
            parts = urlsplit(found)
            _ = parts.port, parts.hostname
        except ValueError:  # whose words may hold a piece of the password
            self.problem(number, name, f"no valid address ({len(found)} characters)", example)
            return ""
        if parts.scheme in schemes:
            return found
        self.problem(number, name, f"{parts.scheme or 'without a scheme'!r} ({len(found)} characters)", example)
        return ""

    def folder(self, name: str, number: str, path: Path, example: str) -> bool:
        """Whether the folder that the variable names is there, or can be made, and can be written to."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            trouble = "" if os.access(path, os.W_OK) else "it cannot be written to"
        except OSError as error:
            trouble = error.strerror or type(error).__name__
        if trouble:
            self.problem(number, name, f"no folder that can be used: {path}: {trouble}", example)
        return not trouble

    def refuse_unknown(self) -> None:
        """A misspelt REGATTA_ name would be silently without effect: name it instead."""
        for name in sorted(self.variables):
            if name.startswith("REGATTA_") and name not in KNOWN:
                self.problem("E007", name, "not a known variable", f"… (known: {', '.join(KNOWN)})")


def read_var(env: Environment) -> Path:
    """REGATTA_VAR, a whole path to a folder; var/ beside manage.py when unset or wrong."""
    found, example = env.text("REGATTA_VAR"), KNOWN["REGATTA_VAR"]
    if not found:
        return ROOT / "var"
    if not Path(found).is_absolute():
        env.problem("E008", "REGATTA_VAR", f"{found!r}, which is not a whole path", example)
        return ROOT / "var"
    return Path(found) if env.folder("REGATTA_VAR", "E008", Path(found), example) else ROOT / "var"


def read_predictors(env: Environment) -> tuple[str, ...]:
    """REGATTA_PREDICTORS: which of the platform's own models answer every round."""
    default = KNOWN["REGATTA_PREDICTORS"]
    found = tuple(dict.fromkeys(env.listed("REGATTA_PREDICTORS", default)))
    if set(found) <= set(PREDICTORS):
        return found
    env.problem("E010", "REGATTA_PREDICTORS", f"{', '.join(found)!r} (known: {', '.join(PREDICTORS)})", default)
    return tuple(default.split(","))


def read_numerapi(env: Environment) -> dict[int, str]:
    """REGATTA_NUMERAPI: slug of the tournament by the number under which numerapi knows it; empty when unset."""
    parts = [part.partition("=") for part in env.listed("REGATTA_NUMERAPI")]
    numbers = {number.strip(): slug.strip() for number, _, slug in parts}
    good = set(numbers) <= {"8", "11", "12"} and all(numbers.values())
    if good and len(set(numbers.values())) == len(parts):
        return {int(number): slug for number, slug in numbers.items()}
    found = f"{env.text('REGATTA_NUMERAPI')!r} (numbers: 8, 11, 12, each with a tournament of its own)"
    env.problem("E011", "REGATTA_NUMERAPI", found, KNOWN["REGATTA_NUMERAPI"])
    return {}


def read_site(env: Environment) -> str:
    """REGATTA_SITE: where readers of a mail find the site, without a slash at its end."""
    url = env.url("REGATTA_SITE", ("http", "https"), "E012", KNOWN["REGATTA_SITE"])
    if url and (not urlsplit(url).hostname or urlsplit(url).query or urlsplit(url).fragment):
        env.problem("E012", "REGATTA_SITE", "no address of a site", KNOWN["REGATTA_SITE"])
        url = ""
    return url.rstrip("/") or "http://127.0.0.1:8000"


def read_database(env: Environment, embedded_url: str) -> dict[str, Any]:
    """DATABASE_URL as Django's settings; the embedded server's when unset or wrong."""
    url = env.url("DATABASE_URL", ("postgres", "postgresql"), "E001", DATABASE_EXAMPLE)
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url or embedded_url))
    except ValueError:  # whose words may hold the password
        env.problem("E001", "DATABASE_URL", "no valid address: quote what is not a letter or digit", DATABASE_EXAMPLE)
        return dict(dj_database_url.parse(embedded_url)) | {"ENGINE": "regatta.postgres"}
    if not url:
        return found | {"ENGINE": "regatta.postgres"}
    return found | {"OPTIONS": {"connect_timeout": 10} | dict(found.get("OPTIONS") or {})}


def read_hosts(env: Environment) -> list[str]:
    """ALLOWED_HOSTS, names without scheme, port and path; the site may always ask itself."""
    given = env.listed("ALLOWED_HOSTS")
    for host in given:
        if not _HOST.fullmatch(host):
            env.problem("E009", "ALLOWED_HOSTS", f"{host!r}, which is no name of a host", "regatta.example.org")
    return [*given, *(host for host in OWN_HOSTS if host not in given)]


def read_storage(env: Environment, default: Path) -> str:
    """STORAGE_URL: a folder (`file:///...`) or a bucket (`s3://bucket?endpoint=...`)."""
    url = env.url("STORAGE_URL", ("file", "s3"), "E003", STORAGE_EXAMPLE)
    if not url:
        return default.as_uri()
    parts = urlsplit(url)
    if not (parts.netloc if parts.scheme == "s3" else not parts.netloc and parts.path.startswith("/")):
        env.problem("E003", "STORAGE_URL", repr(url), STORAGE_EXAMPLE)
        return default.as_uri()
    usable = parts.scheme == "s3" or env.folder("STORAGE_URL", "E003", Path(parts.path), STORAGE_EXAMPLE)
    return url if usable else default.as_uri()


def read_email(env: Environment) -> dict[str, object]:
    """EMAIL_URL as Django's mail settings; unset, mail is written to files under var/."""
    url = env.url("EMAIL_URL", ("smtp", "smtps", "smtp+tls"), "E005", EMAIL_EXAMPLE)
    if not url:
        return {}
    parts = urlsplit(url)
    if not parts.hostname:
        env.problem("E005", "EMAIL_URL", "without a host", EMAIL_EXAMPLE)
        return {}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
    }


def secret_key(env: Environment, var: Path, *, required: bool) -> str:
    """SECRET_KEY, or on the embedded default a random one that is made once and kept under var/."""
    given = env.text("SECRET_KEY")
    if given and len(given) < 32:
        env.problem("E004", "SECRET_KEY", f"only {len(given)} characters", "$(openssl rand -hex 32)")
    if not given and required:
        env.problem("E004", "SECRET_KEY", "unset, with a DATABASE_URL of your own", "$(openssl rand -hex 32)")
    return given or _kept_secret(var / "secret_key")


def _kept_secret(path: Path) -> str:
    """The secret in the file; a new one where there is none, and one for this process only where none can be kept."""
    made = secrets.token_hex(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(made)
        try:
            os.link(scratch, path)  # fails where another process was first: its secret counts
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
        return path.read_text()
    except OSError:
        return made


def refuse_problems(problems: list[Problem]) -> None:
    """Stop a process that would serve or work under a wrong environment.

    Raises:
        ImproperlyConfigured: with every wrong variable, one a line.
    """
    if problems:
        raise ImproperlyConfigured("\n".join(str(problem) for problem in problems))
