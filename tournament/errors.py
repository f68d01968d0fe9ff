"""Every exception of the tournament, as one tree.

RegattaError
├── BadInput            a file, panel, archive or argument breaks a rule; carries every fault found
│   ├── BadPredictions  a predictions file was refused
│   ├── BadPanel        a price panel was refused
│   ├── BadArchive      a tournament archive was refused
│   └── BadConfig       a configuration names an unknown key or an impossible value
├── Infeasible          a portfolio problem has no solution; names the limits in conflict
└── LookAhead           something not yet known was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: what was found, what to do about it, and where it stands."""

    code: str
    message: str
    hint: str = ""
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for a terminal or a log."""
        shown = f" ({', '.join(self.examples)})" if self.examples else ""
        return f"{self.message}{shown}{'; ' + self.hint if self.hint else ''}"


class RegattaError(Exception):
    """Anything that the tournament refuses or cannot do."""


class BadInput(RegattaError):
    """An input breaks a rule; `faults` holds every fault found, not just the first."""

    def __init__(self, faults: Sequence[Fault] | Fault | str) -> None:
        if isinstance(faults, str):
            faults = Fault("bad_input", faults)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class BadPredictions(BadInput):
    """A predictions file was refused."""


class BadPanel(BadInput):
    """A price panel was refused."""


class BadArchive(BadInput):
    """A tournament archive was refused."""


class BadConfig(BadInput):
    """A configuration names an unknown key or an impossible value."""


class Infeasible(RegattaError):
    """A portfolio problem has no solution; the message names the limits in conflict."""


class LookAhead(RegattaError):
    """Something was asked for before it could be known."""
