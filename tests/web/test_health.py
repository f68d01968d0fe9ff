"""What machines ask a running site."""

import pytest
from django.test import Client
from django.utils import timezone

from regatta.jobs import flow


def test_livez_needs_no_database(client: Client) -> None:
    assert client.get("/livez").content == b"ok\n"


@pytest.mark.django_db
def test_readyz_names_every_part(client: Client, redis_server: str) -> None:
    answer = client.get("/readyz")

    assert answer.json() == {"database": "ok", "migrations": "ok", "broker": "ok", "storage": "ok"}


@pytest.mark.django_db
def test_metrics_count_waiting_jobs(client: Client) -> None:
    flow.enqueue("canary", "io", {}, now=timezone.now())

    assert b'regatta_jobs{queue="io",state="QUEUED"} 1' in client.get("/metrics").content
