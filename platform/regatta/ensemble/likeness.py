"""What an owner is told of models that rank a round's assets almost as theirs does.

Others' files count only once a round is sealed: in an open round the answer could be used to feel one's way to what
somebody else has sent. One's own are compared at once. Of others no name is told, only how many they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from regatta import artifacts
from regatta.ensemble.history import alike_of
from regatta.rounds.models import Round
from regatta.submissions.models import ContributedModel, Submission
from tournament.scoring.blend import model_correlations
from tournament.selectors.allocator import rows
from tournament.selectors.protocol import Floats


@dataclass(frozen=True, slots=True)
class Likeness:
    """Models above the rules' limit beside one: the owner's own by name, others by number, and the nearest of all."""

    round: int
    limit: float
    own: tuple[str, ...]
    others: int
    nearest: float
    """Rank correlation with the nearest of them, in two digits: no more is anybody's business."""
    is_sealed: bool

    @property
    def count(self) -> int:
        """How many models are like it."""
        return len(self.own) + self.others

    def plain(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "limit": self.limit, "own": list(self.own), "others": self.others, "nearest": self.nearest,
            "is_sealed": self.is_sealed,
        }  # fmt: skip


def likeness_of(submission: Submission) -> Likeness | None:
    """Of an accepted file: beside the sealed panel where it is part of it, else beside its owner's own files."""
    model, round = submission.model, submission.round
    if submission.status != Submission.Status.ACCEPTED or submission.is_late or _limit(round) >= 1:
        return None
    if round.status != Round.Status.OPEN:
        counts = _counting(round, [model.pk]).first()
        return of_sealed(model, round) if counts is not None and counts.pk == submission.pk else None
    own = ContributedModel.objects.filter(owner=model.owner_id, tournament=model.tournament_id).exclude(pk=model.pk)
    files = list(_counting(round, own.values_list("pk", flat=True)).select_related("model"))
    if not files:
        return None
    sent = [np.frombuffer(artifacts.get(one.values_sha256), dtype=np.float32) for one in (submission, *files)]
    names = [one.model.name for one in files]
    return _told(round, np.delete(model_correlations(np.stack(sent, axis=1))[0], 0), names, set(names), sealed=False)


def of_sealed(model: ContributedModel, round: Round) -> Likeness | None:
    """Of a model in a sealed round; None where it did not enter, or nothing is like it."""
    if model.name not in round.panel_models or _limit(round) >= 1:
        return None
    place = round.panel_models.index(model.name)
    alike_M = rows(alike_of(round.panel_sha256, len(round.panel_models)), [place])[0]
    own = ContributedModel.objects.filter(owner=model.owner_id, name__in=round.panel_models)
    names = [name for name in round.panel_models if name != model.name]
    return _told(round, np.delete(alike_M, place), names, set(own.values_list("name", flat=True)), sealed=True)


def newest_of(model: ContributedModel) -> Likeness | None:
    """Of a model in the newest sealed round that it entered."""
    sealed = Round.objects.filter(tournament=model.tournament_id, panel_models__contains=[model.name])
    newest = sealed.select_related("tournament").order_by("-number").first()
    return None if newest is None else of_sealed(model, newest)


def _told(
    round: Round, alike_M: Floats, names: list[str], own: Collection[str], *, sealed: bool
) -> Likeness | None:  # fmt: skip
    near = [name for name, value in zip(names, alike_M, strict=True) if value > _limit(round)]
    if not near:
        return None
    named = tuple(name for name in near if name in own)
    nearest = float(alike_M.max())
    return Likeness(round.number, _limit(round), named, len(near) - len(named), float(f"{nearest:.2f}"), sealed)


def _limit(round: Round) -> float:
    return round.tournament.parsed_rules().duplicate_corr


def _counting(round: Round, models: Collection[int]) -> Any:
    """The file of each of the models that counts in the round."""
    found = Submission.objects.filter(round=round, model__in=models, status=Submission.Status.ACCEPTED, is_late=False)
    return found.order_by("model_id", "-id").distinct("model_id")
