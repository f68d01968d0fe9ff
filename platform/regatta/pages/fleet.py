"""Status and docs."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from regatta.health import state_of_parts
from regatta.jobs.models import Job
from tournament.rules import Rules


def status(request: HttpRequest) -> HttpResponse:
    """Whether everything runs."""
    jobs = Job.objects.order_by().values("queue", "state").annotate(count=Count("id")).order_by("queue", "state")
    failed = Job.objects.filter(state=Job.State.FAILED)[:10]
    return render(request, "pages/status.html", {"checks": state_of_parts(), "jobs": jobs, "failed": failed})


def docs(request: HttpRequest) -> HttpResponse:
    """How to take part, and how scores are computed."""
    return render(request, "pages/docs.html", {"rules": Rules().to_dict()})
