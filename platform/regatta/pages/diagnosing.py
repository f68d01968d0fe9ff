"""Try predictions on the validation eras by page, and see what they are worth."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from regatta.access import for_contributors, for_owners
from regatta.diagnostics.figuring import ask, trouble
from regatta.diagnostics.models import Diagnosis
from regatta.pages.account import owner_of
from regatta.pages.context import choose
from regatta.pages.figures import figures_of
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, Fault
from tournament.predictions import too_large

SHOWN = 20


@for_contributors()
@login_required
@require_http_methods(["GET", "POST"])
def diagnostics(request: HttpRequest) -> HttpResponse:
    """A form and the last diagnoses; an upload leads to the page of its diagnosis."""
    refusal = None
    if request.method == "POST":
        try:
            return redirect("diagnosis", pk=take(request).pk)
        except BadInput as bad:
            refusal = bad
    models = ContributedModel.objects.filter(owner_id=request.user.pk).select_related("tournament")
    sent = Diagnosis.objects.filter(model__owner_id=request.user.pk).select_related("model").defer("eras")
    context = {
        "models": models, "refusal": refusal, "wanted": request.POST.get("model", request.GET.get("model", "")),
        "sent": [(one, one.summary.get("corr_mean"), one.summary.get("corr_sharpe")) for one in sent[:SHOWN]],
    }  # fmt: skip
    return render(request, "pages/diagnostics.html", context, status=422 if refusal else 200)


@for_owners("diagnosis")
@login_required
@require_safe
def diagnosis(request: HttpRequest, pk: int) -> HttpResponse:
    """Figures of one of the contributor's own files."""
    own = Diagnosis.objects.select_related("model__tournament").filter(model__owner_id=request.user.pk)
    found = get_object_or_404(own, pk=pk)
    choose(request, found.model.tournament)
    broken = trouble(found) if found.status == Diagnosis.Status.PENDING else ""
    context = {
        "diagnosis": found, "model": found.model, "refused": broken or found.message,
        "figures": figures_of(found.eras, found.summary, found.regimes),
    }  # fmt: skip
    return render(request, "pages/diagnosis.html", context)


def take(request: HttpRequest) -> Diagnosis:
    """Ask for a diagnosis of the uploaded file. Raises BadInput."""
    own = ContributedModel.objects.select_related("tournament").filter(owner=owner_of(request))
    model = get_object_or_404(own, name=request.POST.get("model", ""))
    upload = request.FILES.get("predictions")
    if upload is None:
        raise BadInput(Fault("no_file", "no file was chosen", "choose a CSV or Parquet file"))
    largest = model.tournament.parsed_rules().max_upload_bytes
    if upload.size is None or upload.size > largest:
        raise BadInput(too_large(upload.size or 0, largest))
    return ask(model, upload.read(), filename=upload.name or "upload", now=timezone.now())
