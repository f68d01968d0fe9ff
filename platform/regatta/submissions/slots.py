"""What owners decide about their slots between rounds."""

from __future__ import annotations

from regatta.rounds.models import Round, Tournament
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, Fault


def set_experimental(model: ContributedModel, value: bool) -> None:
    """Let a model sail for itself alone, or with the fleet again, from the next round on.

    Experimental: scored and shown on its own page, off the board, off the blend and off the stakes. Rounds sealed
    before keep what it was then. Raises BadInput while a round is open, or for the platform's own models.
    """
    if model.is_benchmark:
        raise BadInput(Fault("benchmark", f"{model.name} is the platform's yardstick", "choose a model of your own"))
    open_round = model.tournament.rounds.filter(status=Round.Status.OPEN).first()
    if open_round is not None and model.is_experimental != value:
        closes = f"it closes at {open_round.closes_at:%Y-%m-%d %H:%M} UTC"
        raise BadInput(
            Fault("round_open", f"round {open_round.number} is open", f"change this between rounds: {closes}")
        )
    ContributedModel.objects.filter(pk=model.pk).update(is_experimental=value)
    model.is_experimental = value


def not_open(tournament: Tournament) -> Fault:
    """Why predictions are not kept for the next round, when it opens, and what needs no upload."""
    coming = tournament.rounds.filter(status=Round.Status.SCHEDULED).order_by("number").first()
    opens = "" if coming is None else f"; round {coming.number} opens at {coming.opens_at:%Y-%m-%d %H:%M} UTC"
    hint = (
        "ids are each round's own, so nothing can be queued before: come back then, or host a model that runs by itself"
    )
    return Fault("not_open", f"no round of {tournament} is open{opens}", hint)
