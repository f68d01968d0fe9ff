"""What predictors learn from: the published files, then the rounds whose targets were known at a time."""

from __future__ import annotations

import io
from datetime import datetime
from functools import lru_cache

import numpy as np
import pandas as pd

from regatta import artifacts
from regatta.rounds.models import Dataset, DatasetFile, Round, Tournament
from tournament.predictors.eras import Eras, Section, eras_of, sections_of

FILES = ("train.parquet", "validation.parquet")


def has_material(tournament: Tournament) -> bool:
    """Whether the tournament came with files to learn from; an imported archive did not."""
    return DatasetFile.objects.filter(dataset__tournament=tournament, name__in=FILES).count() >= len(FILES)


def known_eras(tournament: Tournament, now: datetime) -> Eras:
    """Every era whose target was known at `now`. Raises BadInput when there is none."""
    return eras_of([*_published(tournament), *_resolved(tournament, now, None)])


def newest_eras(tournament: Tournament, now: datetime, count: int) -> Eras:
    """The newest `count` of them, which are at least one."""
    resolved = _resolved(tournament, now, count)
    missing = count - len(resolved)
    return eras_of([*(_published(tournament)[-missing:] if missing > 0 else []), *resolved])


def feature_names(tournament: Tournament) -> tuple[str, ...]:
    """Features in the order in which predictors see them."""
    return tuple(
        Dataset.objects.filter(tournament=tournament).order_by("-id").values_list("feature_names", flat=True)[0]
    )


def live_features(round: Round, names: tuple[str, ...]) -> tuple[pd.Series, np.ndarray]:
    """Ids and features (rows x F) of a round's live file."""
    live = pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))
    return live["id"], live[list(names)].to_numpy(np.int8)


def _published(tournament: Tournament) -> list[Section]:
    """Eras of the train and validation files; all of them were known when the first round opened."""
    newest = Dataset.objects.filter(tournament=tournament).order_by("-id").values_list("pk", flat=True)[0]
    hashes = dict(DatasetFile.objects.filter(dataset_id=newest, name__in=FILES).values_list("name", "sha256"))
    names = feature_names(tournament)
    return [section for file in FILES for section in _sections(hashes[file], names)]


@lru_cache(maxsize=4)
def _sections(sha256: str, names: tuple[str, ...]) -> list[Section]:
    return sections_of(pd.read_parquet(io.BytesIO(artifacts.get(sha256))), names)


def _resolved(tournament: Tournament, now: datetime, count: int | None) -> list[Section]:
    """The newest `count` rounds (all when None) resolved by `now`, oldest first."""
    rounds = tournament.rounds.resolved().filter(resolved_at__lte=now).exclude(live_sha256="").order_by("-number")
    names = feature_names(tournament)
    hashes = list(rounds.values_list("era", "live_sha256", "target_sha256")[:count])
    return [_section(*row, names) for row in reversed(hashes)]


@lru_cache(maxsize=64)
def _section(era: str, live_sha256: str, target_sha256: str, names: tuple[str, ...]) -> Section:
    """One resolved round; neither its features nor its target ever change."""
    live = pd.read_parquet(io.BytesIO(artifacts.get(live_sha256)), columns=list(names))
    target = np.frombuffer(artifacts.get(target_sha256), dtype=np.float64)
    return int(era), live[list(names)].to_numpy(np.int8), target
