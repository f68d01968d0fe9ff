"""The site's end of the queue: it sends wake-up calls by name and knows no task's code."""

from celery import Celery

app = Celery("regatta")
app.config_from_object("django.conf:settings", namespace="CELERY")
