"""Django's name for this app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work to be done: rows that promise, whatever the queue does."""

    name = "regatta.jobs"
    label = "jobs"
