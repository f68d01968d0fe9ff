"""Hand in a model file, see what its check found, let a version sail or take it off; the owner's alone."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from regatta.access import for_owners
from regatta.hosting import sailing
from regatta.hosting.intake import take_in
from regatta.hosting.models import HostedModel, HostedRun, SandboxReport, State
from regatta.hosting.repeating import try_again as repeat
from regatta.pages.account import owner_of
from regatta.pages.context import choose
from regatta.pages.figures import figures_of
from regatta.submissions.models import ContributedModel
from tournament.errors import BadInput, BadModel, Fault
from tournament.hosted.formats import MAX_BYTES, too_large

SHOWN_VERSIONS, SHOWN_RUNS = 20, 30
LIVE_STATES = (State.PENDING, State.VALIDATING, State.RUNNING)


@for_owners("model")
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def hosted(request: HttpRequest, name: str) -> HttpResponse:
    """A slot's versions and runs, and a form for the next file; an upload leads to the page of its version."""
    model = get_object_or_404(
        ContributedModel.objects.select_related("tournament"), owner_id=request.user.pk, name=name
    )
    choose(request, model.tournament)
    refusal = None
    if request.method == "POST":
        try:
            return redirect("hosted_version", name=name, number=_take(request, model).number)
        except BadInput as bad:
            refusal = bad
    versions = list(HostedModel.objects.filter(model=model).defer("diagnostics", "log")[:SHOWN_VERSIONS])
    runs = HostedRun.objects.filter(hosted__model=model).select_related("hosted", "round", "submission")
    context = {
        "model": model, "tournament": model.tournament, "refusal": refusal, "versions": versions,
        "sails": next((one for one in versions if one.is_assigned), None), "largest": MAX_BYTES,
        "runs": runs.defer("round__context", "round__stakes", "round__panel_models")[:SHOWN_RUNS],
        "is_run": SandboxReport.objects.filter(is_safe=True).exists(),
    }  # fmt: skip
    return render(request, "pages/hosted.html", context, status=422 if refusal else 200)


@for_owners("hosted")
@never_cache
@login_required
@require_safe
def version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One version: its state, faults, log, and how it would have done on the validation eras."""
    found = _own(request, name, number)
    choose(request, found.model.tournament)
    runs = list(HostedRun.objects.filter(hosted=found).select_related("round", "submission")[:SHOWN_RUNS])
    context = {
        "hosted": found, "model": found.model, "tournament": found.model.tournament, "faults": found.explained(),
        "figures": figures_of(*(found.diagnostics.get(part, ()) for part in ("eras", "summary", "regimes"))),
        "is_live": found.state in LIVE_STATES, "runs": runs,
        "is_under_way": any(one.state in LIVE_STATES for one in (found, *runs)),
    }  # fmt: skip
    return render(request, "pages/hosted_version.html", context)


@for_owners("hosted")
@login_required
@require_POST
def assign(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Let a version that was found good sail."""
    found = _own(request, name, number)
    said = f"Version {number} sails for {name} from now on."
    return _do(request, found, lambda: sailing.assign(found, found.model.tournament.now()), said)


@for_owners("hosted")
@login_required
@require_POST
def take_off(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Let a version sail no more; what it has sent stays."""
    found = _own(request, name, number)
    said = f"Version {number} runs no more for {name}; what it has sent still counts."
    return _do(request, found, lambda: sailing.take_off(found), said)


@for_owners("hosted")
@login_required
@require_POST
def try_again(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Repeat a check and runs that ended by the platform's fault."""
    found = _own(request, name, number)
    return _do(request, found, lambda: repeat(found, timezone.now()), "It is tried again.")


def _take(request: HttpRequest, model: ContributedModel) -> HostedModel:
    """Hand the uploaded file to the intake. Raises BadInput."""
    upload = request.FILES.get("file")
    if upload is None:
        raise BadModel(Fault("no_file", "no file was chosen", "choose a model file"))
    if upload.size is None or upload.size > MAX_BYTES:
        raise BadModel(too_large(upload.size or 0))
    filename, now = upload.name or "model", timezone.now()
    return take_in(model, upload.read(), filename=filename, by=owner_of(request), now=now)


def _own(request: HttpRequest, name: str, number: int) -> HostedModel:
    """A version of one of the contributor's own slots; somebody else's is not found."""
    found = HostedModel.objects.select_related("model__tournament", "model__owner")
    return get_object_or_404(found, model__owner_id=request.user.pk, model__name=name, number=number)


def _do(request: HttpRequest, found: HostedModel, deed: Callable[[], object], said: str) -> HttpResponse:
    """Do what a button says, and tell it or why not on the version's page."""
    try:
        deed()
    except BadInput as bad:
        messages.error(request, f"{str(bad).capitalize()}.")
    else:
        messages.success(request, said)
    return redirect("hosted_version", name=found.model.name, number=found.number)
