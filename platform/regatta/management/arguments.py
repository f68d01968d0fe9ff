"""Kinds of numbers that commands take; argparse says which argument was wrong."""

from __future__ import annotations

from argparse import ArgumentTypeError


def port(text: str) -> int:
    """A port that can be listened on."""
    if not _is_number(text) or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"{text!r} is no port; give a whole number from 1 to 65535")
    return int(text)


def count(text: str) -> int:
    """One or more of something."""
    if not _is_number(text) or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of these; give a whole number of 1 or more")
    return int(text)


def seed(text: str) -> int:
    """A seed of random numbers."""
    if not _is_number(text):
        raise ArgumentTypeError(f"{text!r} is no seed; give a whole number of 0 or more")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20
