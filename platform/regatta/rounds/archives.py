"""A tournament to an archive folder and back: sealed panels, known targets, contexts, stakes and features.

Model columns, ids and targets come back as they went; prices and accounts stay behind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from django.db import transaction
from numpy.typing import NDArray

from regatta import artifacts
from regatta.accounts.models import User
from regatta.rounds.models import Round, Tournament
from regatta.rounds.sealing import read_panel
from regatta.scores.board import render_board
from regatta.scores.scoring import write_scores
from regatta.submissions.models import NAME_RULE, ContributedModel
from tournament.archive import About, Archive, ArchivedRound, read_archive, write_archive
from tournament.archive_checks import SHOWN
from tournament.errors import BadArchive, BadInput, Fault
from tournament.markets.context import CONTEXT_NAMES
from tournament.markets.dataset import era_label, parquet_bytes
from tournament.rules import Rules

KEYS = ["id", "era"]
"""Columns of a live file that are no features."""
Tell = Callable[[int], None]
"""Hears the number of each round that is done."""


def sealed_rounds(tournament: Tournament) -> list[Round]:
    """What an archive of the tournament would hold: rounds that closed with at least one model."""
    return list(tournament.rounds.exclude(panel_models=[]).exclude(panel_sha256="").order_by("number"))


def export_archive(tournament: Tournament, folder: Path, *, tell: Tell = lambda number: None) -> Archive:
    """Write every sealed round; targets of the resolved ones. Returns the archive, read back and checked.

    Raises BadInput when no round is sealed, BadArchive when the folder holds files.
    """
    rounds = sealed_rounds(tournament)
    if not rounds:
        raise BadInput(Fault("no_rounds", f"{tournament.slug} has no closed round with a model", "wait for a close"))
    names = _Names.of(rounds)
    archived = (_archived(round, names, tell) for round in rounds)
    write_archive(folder, _about(tournament), archived, context_names=names.contexts, feature_names=names.features)
    return read_archive(folder)


def import_archive(
    archive: Archive, *, slug: str, owner: User, now: datetime, prefix: str = "", tell: Tell = lambda number: None
) -> Tournament:
    """Make a tournament of an archive, all or nothing: models of `owner`, resolved rounds with scores and boards.

    Its clock stands still at the last close or resolution. Raises BadInput with every reason not to.
    """
    names = {name: prefix + (_fitted(name) if prefix else name) for name in archive.models}
    faults = [*_slug_faults(slug), *_name_faults(names), *_time_faults(archive)]
    if faults:
        raise BadInput(faults)
    with transaction.atomic():
        made = _tournament(archive, slug, now)
        ContributedModel.objects.bulk_create(
            ContributedModel(tournament=made, owner=owner, name=name) for name in names.values()
        )
        for row in range(len(archive)):
            _store(made, archive, row, names)
            tell(int(archive.rounds_R[row]))
    return made


@dataclass(frozen=True, slots=True)
class _Names:
    """Columns of an archive; a model that only ever staked is none of it."""

    contexts: tuple[str, ...]
    features: tuple[str, ...]
    models: frozenset[str]

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> _Names:
        """Contexts in the platform's order, then any others by name: stored contexts keep no order of their own."""
        found = {name for round in rounds for name in round.context}
        contexts = (*(name for name in CONTEXT_NAMES if name in found), *sorted(found - set(CONTEXT_NAMES)))
        features = tuple(str(name) for name in _live(rounds[0]).columns if name not in KEYS)
        return cls(contexts, features, frozenset(name for round in rounds for name in round.panel_models))


def _archived(round: Round, names: _Names, tell: Tell) -> ArchivedRound:
    tell(round.number)
    live, target = _live(round), None
    if round.status == Round.Status.RESOLVED:
        target = np.frombuffer(artifacts.get(round.target_sha256), dtype=np.float64)
    opens_at, closes_at, resolves_at = (_utc(at) for at in (round.opens_at, round.closes_at, round.resolves_at))
    return ArchivedRound(
        round.number, opens_at, closes_at, resolves_at, tuple(live["id"].astype(str)), tuple(round.panel_models),
        read_panel(round.panel_sha256), target, np.array([round.context.get(name, np.nan) for name in names.contexts]),
        opens_at, {name: float(stake) for name, stake in sorted(round.stakes.items()) if name in names.models},
        live.reindex(columns=list(names.features)).to_numpy(np.float32) if names.features else None,
    )  # fmt: skip


def _live(round: Round) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(artifacts.get(round.live_sha256)))


def _about(tournament: Tournament) -> About:
    rules = tournament.parsed_rules()
    cadence = f"{rules.cadence_days} trading days"
    return About(tournament.name, rules.horizon_days, cadence, "target", tournament.created_at.isoformat())


def _tournament(archive: Archive, slug: str, now: datetime) -> Tournament:
    about = archive.about
    simulated = (archive.folder / "truth").is_dir()
    resolved = [row for row in range(len(archive)) if archive.targets(row) is not None]
    known = np.concatenate([archive.closes_at_R, archive.resolves_at_R[resolved]])
    return Tournament.objects.create(
        slug=slug, name=about.name[:80], description=f"Imported from an archive of {len(archive)} rounds.",
        market=Tournament.Market.SIMULATED if simulated else Tournament.Market.REAL, is_paused=True,
        rules=Rules(horizon_days=about.horizon_days, cadence_days=_cadence_days(archive)).to_dict(),
        clock_at=_moment(known.max()), created_at=_created(about.created, now),
    )  # fmt: skip


def _cadence_days(archive: Archive) -> int:
    """Trading days between openings, five a week; the horizon where there is one round only."""
    gaps = np.diff(archive.opens_at_R).astype("timedelta64[s]").astype(float) / 86_400
    return max(1, round(float(np.median(gaps)) * 5 / 7)) if len(gaps) else archive.about.horizon_days


def _created(text: str, now: datetime) -> datetime:
    """When the archive says that it was made; now where it says so in words."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return now
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _store(tournament: Tournament, archive: Archive, row: int, names: dict[str, str]) -> None:
    """One round: its files, its row and, when its target is known, its scores and board."""
    one = archive.round(row)
    round = Round.objects.create(
        tournament=tournament, number=one.number, era=era_label(one.number), as_of=_day(one.opens_at),
        opens_at=_moment(one.opens_at), closes_at=_moment(one.closes_at), resolves_at=_moment(one.resolves_at),
        status=Round.Status.CLOSED if one.target_N is None else Round.Status.RESOLVED,
        live_sha256=artifacts.put(_live_bytes(archive, row, one)), universe_size=len(one.ids),
        context={n: float(v) for n, v in zip(archive.context_names, one.context_K, strict=True) if np.isfinite(v)},
        stakes={names[name]: repr(stake) for name, stake in one.stakes.items()},
        panel_sha256=artifacts.put(_panel_bytes(one.predictions_NM)), panel_models=[names[name] for name in one.models],
        target_sha256="" if one.target_N is None else artifacts.put(one.target_N.tobytes()),
        sealed_at=_moment(one.closes_at), resolved_at=None if one.target_N is None else _moment(one.resolves_at),
    )  # fmt: skip
    if one.target_N is not None:
        known_at = _moment(one.resolves_at)
        write_scores(round, one.target_N, known_at, day=archive.about.horizon_days, final=True)
        render_board(round, known_at)


def _live_bytes(archive: Archive, row: int, one: ArchivedRound) -> bytes:
    frame = pd.DataFrame({"id": list(one.ids), "era": era_label(one.number)})
    features = archive.features(row)
    if features is not None:
        by_id = features.assign(id=features["id"].astype(str)).set_index("id")
        frame = frame.join(by_id, on="id")
    return parquet_bytes(frame)


def _panel_bytes(panel_NM: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(panel_NM))
    return buffer.getvalue()


def _fitted(name: str) -> str:
    """The name in small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())


def _slug_faults(slug: str) -> list[Fault]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,49}", slug):
        return [Fault("slug", f"{slug!r} cannot be part of an address", "give small letters, digits and hyphens")]
    if Tournament.objects.filter(slug=slug).exists():
        return [Fault("slug_taken", f"there is a tournament {slug!r} already", "give another --slug")]
    return []


def _name_faults(names: dict[str, str]) -> list[Fault]:
    """Names that cannot be models here: against the rule, or of another tournament's model."""
    wanted, hint = list(names.values()), "give a --prefix: names are then made fit and free"
    odd = [name for name in wanted if not re.fullmatch(NAME_RULE, name)]
    taken = sorted(ContributedModel.objects.filter(name__in=wanted).values_list("name", flat=True))
    twice = sorted({name for name in wanted if wanted.count(name) > 1})
    words = ((odd, "break the rule for names: 3 to 40 small letters, digits, underscores; a letter first"),
             (taken, "are models of this site already"), (twice, "name several models"))  # fmt: skip
    return [Fault("model_name", f"{len(bad)} names {what}", hint, tuple(bad[:SHOWN])) for bad, what in words if bad]


def _time_faults(archive: Archive) -> list[Fault]:
    """The site's rounds are open for some time and resolve after their close."""
    empty = (archive.opens_at_R >= archive.closes_at_R) | (archive.closes_at_R >= archive.resolves_at_R)
    if not empty.any():
        return []
    shown = tuple(str(number) for number in archive.rounds_R[empty][:SHOWN])
    message = f"{int(empty.sum())} rounds close when they open or resolve when they close"
    return list(BadArchive(Fault("no_time", message, "opens_at < closes_at < resolves_at", shown)).faults)


def _utc(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "s")


def _moment(at: np.datetime64) -> datetime:
    found: datetime = at.astype("datetime64[s]").astype(object)
    return found.replace(tzinfo=UTC)


def _day(at: np.datetime64) -> date:
    return _moment(at).date()
