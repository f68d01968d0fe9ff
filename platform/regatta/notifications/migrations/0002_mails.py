"""Mails get rows of their own; what was mailed, and what had been promised and was not, keeps its place."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def carry_over(apps: Any, _editor: Any) -> None:
    """A row for each notice that was mailed, or whose job still waits."""
    notices, mails = apps.get_model("notifications", "Notice").objects, apps.get_model("notifications", "Mail")
    jobs = apps.get_model("jobs", "Job").objects.filter(kind="send_mail", payload__has_key="notice")
    promised = jobs.filter(state__in=["QUEUED", "RUNNING"]).values_list("payload__notice", flat=True)
    sent = notices.exclude(mailed_at=None).values_list("pk", "mailed_at")
    waiting = notices.filter(pk__in=list(promised), mailed_at=None).values_list("pk", flat=True)
    now = django.utils.timezone.now()
    rows = [mails(notice_id=pk, state="SENT", attempt=1, created_at=at, tried_at=at) for pk, at in sent]
    rows += [mails(notice_id=pk, state="WAITING", due_at=now, created_at=now) for pk in waiting]
    mails.objects.bulk_create(rows)
    jobs.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "Waiting"), ("SENT", "Sent"), ("FAILED", "Failed")],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, help_text="When it is tried next.", null=True)),
                (
                    "error",
                    models.TextField(blank=True, help_text="Why the last try failed: what the mail server said."),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mail",
                        to="notifications.notice",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "WAITING")), fields=["due_at"], name="mails_due")
                ],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="notice", name="mailed_at"),
    ]
