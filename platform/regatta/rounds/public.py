"""Which of a tournament's files everybody may have, and under which name."""

from __future__ import annotations

import re

from regatta.rounds.models import DatasetFile, Round
from regatta.rounds.tickers import COLUMNS, with_tickers

LIVE = re.compile(r"(live|signals|crypto)_(\d{5})\.parquet", re.ASCII)


def file_sha256(slug: str, name: str) -> str | None:
    """Hash of a public file of a tournament; None when there is none of the name."""
    live = LIVE.fullmatch(name)
    if live:
        found = Round.objects.filter(tournament__slug=slug, number=int(live[2])).exclude(live_sha256="")
        sha256 = found.values_list("live_sha256", flat=True).first()
        return with_tickers(sha256, live[1]) if sha256 and live[1] in COLUMNS else sha256
    files = DatasetFile.objects.filter(dataset__tournament__slug=slug, name=name, is_public=True)
    return files.order_by("-dataset_id").values_list("sha256", flat=True).first()
