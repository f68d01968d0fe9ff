"""Libraries that converters need, asked for only when one is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tournament.errors import BadInput, Fault


def need(module: str, *, package: str, why: str) -> Any:
    """The module. Raises BadInput that names the package to install."""
    try:
        return import_module(module)
    except ImportError:
        message = f"{why} needs the package {package}, which is not installed"
        raise BadInput(Fault("missing_package", message, f"pip install {package}")) from None
