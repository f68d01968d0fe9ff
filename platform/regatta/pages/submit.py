"""Upload predictions by page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from regatta.rounds.models import Round
from regatta.submissions.intake import receive
from regatta.submissions.models import ContributedModel, Submission
from tournament.errors import BadInput


@login_required
def submit(request: HttpRequest) -> HttpResponse:
    """A form; after an upload, what became of the file with every fault."""
    models = ContributedModel.objects.filter(owner_id=request.user.pk).select_related("tournament")
    submission, refusal = None, None
    if request.method == "POST":
        try:
            submission = take(request)
        except BadInput as bad:
            refusal = bad
    context = {"models": models, "submission": submission, "refusal": refusal}
    return render(request, "pages/submit.html", context, status=422 if refusal else 200)


def take(request: HttpRequest) -> Submission:
    """Hand the uploaded file to the intake. Raises BadInput."""
    model = get_object_or_404(ContributedModel, owner_id=request.user.pk, name=request.POST.get("model", ""))
    upload = request.FILES.get("predictions")
    if upload is None:
        raise BadInput("no file was chosen; choose a CSV or Parquet file")
    rounds = Round.objects.select_related("tournament").filter(tournament=model.tournament, status=Round.Status.OPEN)
    found = rounds.order_by("-number").first()
    if found is None:
        raise BadInput("no round is open now; come back at the next opening")
    now = model.tournament.now()
    return receive(model, found, upload.read(), filename=upload.name or "upload", source="page", now=now)
