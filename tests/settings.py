"""The site's settings under test: real embedded servers in a folder of this run's own, and a fast password hash."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "var" / "tests"

if "PYTEST_XDIST_WORKER" not in os.environ:  # xdist's workers inherit the folder and share its servers
    os.environ["REGATTA_VAR"] = str(FOLDER / str(os.getpid()))
    os.environ["REGATTA_DURABLE"] = "0"

from regatta.settings import *  # noqa: E402, F403
from regatta.settings import STATIC_ROOT  # noqa: E402

STATIC_ROOT.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
