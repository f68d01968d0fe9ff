"""Which device trains: the GPU where one is asked for or found."""

from __future__ import annotations

from tournament.errors import BadConfig


def choose_device(wanted: str = "auto") -> str:
    """`cuda` or `cpu` for auto, cpu or cuda; loads torch.

    Raises:
        BadConfig: cuda is demanded and there is none.
    """
    import torch

    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise BadConfig("REGATTA_DEVICE is cuda, but torch finds no CUDA device; use auto or cpu")
    return "cuda" if wanted != "cpu" and found else "cpu"
