"""Liveness, readiness and figures for machines."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from regatta import artifacts
from regatta.access import open_to_all
from regatta.jobs.models import Job
from regatta.notifications.models import Mail
from regatta.webhooks.models import Delivery


@open_to_all()
@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@open_to_all()
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether database, migrations, broker and storage can serve; 503 names what cannot."""
    found = state_of_parts()
    return JsonResponse(found, status=200 if set(found.values()) == {"ok"} else 503)


def state_of_parts() -> dict[str, str]:
    """`ok` or the kind of failure, by part."""
    checks: dict[str, Callable[[], None]] = {
        "database": check_database,
        "migrations": _check_migrations,
        "broker": check_broker,
        "storage": artifacts.check,
    }
    return {name: _outcome(check) for name, check in checks.items()}


@open_to_all()
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Jobs by queue and state, and the age of the oldest waiting one, in Prometheus' text format."""
    lines = ["# HELP regatta_jobs Jobs by queue and state.", "# TYPE regatta_jobs gauge"]
    counted = Job.objects.order_by("queue", "state").values_list("queue", "state").annotate(Count("id"))
    lines += [f'regatta_jobs{{queue="{queue}",state="{state}"}} {count}' for queue, state, count in counted]
    lines += ["# HELP regatta_oldest_waiting_seconds Age of the oldest waiting job.",
              "# TYPE regatta_oldest_waiting_seconds gauge"]  # fmt: skip
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("queue").values_list("queue")
    now = timezone.now()
    for queue, created_at in waiting.annotate(Min("created_at")):
        lines.append(f'regatta_oldest_waiting_seconds{{queue="{queue}"}} {(now - created_at).total_seconds():.1f}')
    for name, rows in (("mails", Mail.objects), ("deliveries", Delivery.objects)):
        lines += [f"# HELP regatta_{name} What is told outside, by state.", f"# TYPE regatta_{name} gauge"]
        by_state = rows.order_by("state").values_list("state").annotate(Count("id"))
        lines += [f'regatta_{name}{{state="{state}"}} {count}' for state, count in by_state]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")


def _outcome(check: Callable[[], None]) -> str:
    """`ok`, or the kind of failure only: addresses and credentials stay out of a public page."""
    from kombu.exceptions import OperationalError

    try:
        check()
    except (DatabaseError, OperationalError, OSError, RuntimeError) as error:
        return f"failed: {type(error).__name__}"
    return "ok"


def check_database() -> None:
    """Raises DatabaseError when it does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError("migrations are waiting")


def check_broker() -> None:
    """Raises OperationalError or OSError when it does not answer."""
    from regatta.celery import app

    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=3)
