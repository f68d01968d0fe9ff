"""Publish a tournament: check its prices, make its files, and lay out its rounds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from django.db import transaction
from numpy.typing import NDArray

from regatta import artifacts
from regatta.rounds.models import Dataset, DatasetFile, Round, Tournament
from regatta.rounds.prices import CLOSE_HOUR_UTC, CONTEXT, KEY, PRICES, pack
from tournament.errors import BadPanel, Fault
from tournament.markets import dataset as datasets
from tournament.markets.context import CONTEXT_NAMES, context_matrix
from tournament.markets.panel import PricePanel
from tournament.markets.quality import inspect
from tournament.rules import Rules


def publish(tournament: Tournament, panel: PricePanel, *, rounds: int, key: bytes, version: str = "v1.0") -> Dataset:
    """Make the dataset known before the first of the last `rounds` eras. Raises BadPanel; writes all or nothing."""
    refusals = inspect(panel, tournament.parsed_rules()).refusals
    if refusals:
        raise BadPanel([Fault(found.code, found.message, "mend the prices", found.places[:3]) for found in refusals])
    rules = tournament.parsed_rules()
    rows = datasets.era_rows(panel, rules)
    first = max(0, len(rows) - rounds)
    cut = int(rows[first])
    files = _files(panel, rules, key, rows[: first + 1])
    known = inspect(panel.rows(slice(0, cut + 1)), rules)  # what is shown must not tell of days to come
    with transaction.atomic():
        made = Dataset.objects.create(
            tournament=tournament, version=version, quality=known.to_dict(), status=Dataset.Status.PUBLISHED,
            feature_names=json.loads(files["features.json"][0])["features"], published_at=_at(panel.dates_D[cut], 22),
        )  # fmt: skip
        DatasetFile.objects.bulk_create(_row(made, name, data, count) for name, (data, count) in files.items())
        Round.objects.bulk_create(lay_out(tournament, panel, rows, first, rules))
    return made


def _files(panel: PricePanel, rules: Rules, key: bytes, rows: NDArray[np.intp]) -> dict[str, tuple[bytes, int]]:
    """Name: (bytes, rows) of every file of the dataset; the last of `rows` is the first round's."""
    cut = int(rows[-1])
    contexts = _contexts(panel, rows[:-1])
    frames = datasets.history_frames(panel, rules, key, cut)
    section = datasets.cross_section(panel, cut, datasets.era_label(0), key)
    example = datasets.example_predictions(section, frames["train"])
    files = {f"{name}.parquet": (datasets.parquet_bytes(frame), len(frame)) for name, frame in frames.items()}
    files["features.json"] = (datasets.features_json(section.feature_names), 0)
    files[CONTEXT] = (datasets.parquet_bytes(contexts), len(contexts))
    files["example_predictions.csv"] = (example.to_csv(index=False).encode(), len(example))
    return files | {PRICES: (pack(panel), panel.close_DN.size), KEY: (key, 0)}


def _contexts(panel: PricePanel, rows: NDArray[np.intp]) -> pd.DataFrame:
    """Market context of the eras before the first round: era, then a column each; all known when that round opens."""
    values = context_matrix(panel, rows).reshape(len(rows), len(CONTEXT_NAMES))
    frame = pd.DataFrame(values, columns=list(CONTEXT_NAMES))
    frame.insert(0, "era", [datasets.era_label(number) for number in range(len(rows))])
    return frame


def _row(made: Dataset, name: str, data: bytes, count: int) -> DatasetFile:
    public = name not in {PRICES, KEY}
    return DatasetFile(
        dataset=made, name=name, sha256=artifacts.put(data), size=len(data), rows=count, is_public=public
    )


def lay_out(tournament: Tournament, panel: PricePanel, rows: NDArray[np.intp], first: int, rules: Rules) -> list[Round]:
    """A round on each of `rows` from the `first` on; days beyond the panel are counted as business days."""
    made = []
    for number, row in enumerate(rows[first:], start=1):
        opens_at = _at(panel.dates_D[row], rules.opens_hour_utc)
        last = int(row) + rules.lag_days + rules.horizon_days
        made.append(
            Round(
                tournament=tournament, number=number, era=datasets.era_label(first + number - 1),
                as_of=panel.dates_D[row].astype(object), opens_at=opens_at,
                closes_at=opens_at + timedelta(hours=rules.window_hours),
                resolves_at=_at(_day(panel, last), CLOSE_HOUR_UTC + 1),
            )
        )  # fmt: skip
    return made


def _day(panel: PricePanel, row: int) -> np.datetime64:
    beyond = row - (len(panel.dates_D) - 1)
    return panel.dates_D[row] if beyond <= 0 else np.busday_offset(panel.dates_D[-1], beyond, roll="backward")


def _at(day: np.datetime64, hour: int) -> datetime:
    return datetime.combine(day.astype("datetime64[D]").astype(object), datetime.min.time(), UTC) + timedelta(
        hours=hour
    )
