"""Numbers on the command line are refused by argparse, with the name of the argument, before anything starts."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


@pytest.mark.parametrize("rounds", ["0", "-3", "many"])
def test_a_demonstration_of_no_rounds_is_refused(rounds: str) -> None:
    with pytest.raises(CommandError, match=r"--rounds: .* give a whole number of 1 or more"):
        call_command("demo", "--rounds", rounds)


@pytest.mark.parametrize("port", ["0", "-1", "99999", "http"])
@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_that_is_none_is_refused(command: str, port: str) -> None:
    with pytest.raises(CommandError, match=r"--port: .* give a whole number from 1 to 65535"):
        call_command(command, "--port", port)
