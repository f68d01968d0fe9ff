"""Where trainings keep their progress: in the artifact store, named by a row, so that any worker can go on with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from regatta import artifacts
from regatta.ensemble.models import TrainingProgress
from regatta.rounds.models import Tournament

log = logging.getLogger(__name__)


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
        """Keep the new bytes in the place of the old ones; a training does not fail because that did."""
        try:
            self._replace(data)
        except (DatabaseError, OSError) as error:
            log.warning("%s: progress was not saved: %s", self.family, error)
            if isinstance(error, DatabaseError):
                connection.close()  # the database may be back by the next check

    def _replace(self, data: bytes) -> None:
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
        _remove(self._rows())

    def _rows(self) -> models.QuerySet[TrainingProgress]:
        return TrainingProgress.objects.filter(
            tournament=self.tournament, family=self.family, trained_through=self.through
        )


def forget_before(tournament: Tournament, through: int) -> None:
    """Remove what trainings that were given up, on less than is known now, have left."""
    _remove(TrainingProgress.objects.filter(tournament=tournament, trained_through__lt=through))


def _remove(rows: models.QuerySet[TrainingProgress]) -> None:
    for name in rows.values_list("state_sha256", flat=True):
        transaction.on_commit(partial(artifacts.remove, name))
    rows.delete()
