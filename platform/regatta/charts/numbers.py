"""How numbers are written: true minus signs, tabular, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Callable

MINUS, NONE = "−", "–"
Write = Callable[[float | None], str]


def known(value: float | None) -> bool:
    """Whether there is a value to write."""
    return value is not None and math.isfinite(value)


def plain(value: float | None, digits: int = 4) -> str:
    """`−0.0123`; a dash when unknown. Zero never has a sign."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float | None, digits: int = 4) -> str:
    """`+0.0123` or `−0.0123`."""
    text = plain(value, digits)
    return f"+{text}" if value is not None and text[0] not in MINUS + NONE and float(text) else text


def percent(value: float | None, digits: int = 0) -> str:
    """A fraction as `12 %`, with a thin space that does not break."""
    return NONE if value is None or not math.isfinite(value) else f"{plain(100 * value, digits)}\u202f%"


def corr(value: float | None) -> str:
    """A correlation, four digits."""
    return plain(value, 4)


def basis(value: float | None) -> str:
    """A fraction in basis points, one digit, without the unit."""
    return plain(None if value is None else 1e4 * value, 1)


def hundredths(value: float | None) -> str:
    """A fraction in per cent, two digits, without the sign: for tables whose head has it. Nothing is a dash."""
    return plain(None if not value else 100 * value, 2)


def pull(value: float | None) -> str:
    """A gradient by a weight, as basis points of return for each per cent of weight: `+0.42`."""
    return signed(None if value is None else 100 * value, 2)


def two(value: float | None) -> str:
    """Two digits, for axes and ratios."""
    return plain(value, 2)


def count(value: float | None) -> str:
    """A whole number with thin spaces between thousands."""
    return NONE if value is None else f"{value:,.0f}".replace(",", "\u202f").replace("-", MINUS)


def size(value: int) -> str:
    """Bytes as a person reads them, in powers of 1000."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.1f}\u202f{unit}"
    return f"{value}\u202fB"
