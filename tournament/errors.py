"""Every exception of the tournament, as one tree.

RegattaError
├── BadInput            a file, panel, archive or argument breaks a rule; carries every fault found
│   ├── BadPredictions  a predictions file was refused
│   ├── BadPanel        a price panel was refused
│   ├── BadArchive      a tournament archive was refused
│   ├── BadModel        a hosted model's file was refused, or the model could not answer
│   └── BadConfig       a configuration names an unknown key or an impossible value
├── Infeasible          a portfolio problem has no solution; names the limits in conflict
└── LookAhead           something not yet known was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: what was found, what to do about it, and where it stands.

    Its words are printable whatever the input held: a database takes no NUL, a terminal obeys control characters.
    """

    code: str
    message: str
    hint: str = ""
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Write out what cannot be printed."""
        object.__setattr__(self, "message", printable(self.message))
        object.__setattr__(self, "examples", tuple(printable(example) for example in self.examples))

    def __str__(self) -> str:
        """One line for a terminal or a log."""
        shown = f" ({', '.join(self.examples)})" if self.examples else ""
        return f"{self.message}{shown}{'; ' + self.hint if self.hint else ''}"


def printable(text: str) -> str:
    """The text with control characters, half surrogates and the like written out as escapes."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def counted(number: int, one: str, many: str, *, of: int | None = None) -> str:
    """`1 id is missing`, `2 ids are missing`, `1 of 40 ids is missing`: a number with the words that go with it."""
    words = one if number == 1 else many
    if of is None:
        return f"{number} {words}"
    noun, verb = many.split(" ")[0], " ".join(words.split(" ")[1:])
    return f"{number} of {of} {noun} {verb}"


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


class BadModel(BadInput):
    """A hosted model's file was refused, or the model could not answer."""


class BadConfig(BadInput):
    """A configuration names an unknown key or an impossible value."""


class Infeasible(RegattaError):
    """A portfolio problem has no solution; the message names the limits in conflict."""


class LookAhead(RegattaError):
    """Something was asked for before it could be known."""
