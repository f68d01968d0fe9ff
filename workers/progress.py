"""Where trainings keep their progress: in the artifact store, named by a row, so that any worker can go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.db import models, transaction
from django.utils import timezone

from regatta import artifacts
from regatta.ensemble.models import TrainingProgress
from regatta.rounds.models import Tournament


@dataclass
class KeptProgress:
    """The progress of one family's training on one state of knowledge.

    Two attempts that run at once, because one was thought dead, save places of the same course: whichever is the last,
    going on from it ends with the same bytes.
    """

    tournament: Tournament
    family: str
    through: int
    data: str
    """A mark of what the training sees: progress made on anything else is not gone on from."""
    resumed: bool = False

    def load(self) -> bytes | None:
        """What an earlier attempt saved last."""
        row = self._rows().filter(data=self.data).first()
        if row is None:
            return None
        try:
            found = artifacts.get(row.state_sha256)
        except artifacts.MissingArtifact:  # replaced by another attempt between the two questions
            return None
        self.resumed = True
        return found

    def save(self, data: bytes) -> None:
        """Name the new bytes in the row once they are whole, then let go of the old ones."""
        name = artifacts.put(data)
        fresh = {"data": self.data, "state_sha256": name, "saved_at": timezone.now()}
        with transaction.atomic():
            row = self._rows().select_for_update().first()
            old = "" if row is None else row.state_sha256
            TrainingProgress.objects.update_or_create(
                tournament=self.tournament, family=self.family, trained_through=self.through, defaults=fresh
            )
        if old and old != name:
            artifacts.remove(old)

    def forget(self) -> None:
        """Remove row and bytes, once the rows that the caller writes beside are committed."""
        for name in self._rows().values_list("state_sha256", flat=True):
            transaction.on_commit(partial(artifacts.remove, name))
        self._rows().delete()

    def _rows(self) -> models.QuerySet[TrainingProgress]:
        return TrainingProgress.objects.filter(
            tournament=self.tournament, family=self.family, trained_through=self.through
        )
